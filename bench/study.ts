/**
 * 10,000 study tasks in one process: the CPU that they take, and how late the server notices the ends of their items, against as
 * many timers of the same kind that do nothing in the same process. Items last 60 seconds on average, so that some 170 end
 * every second; each end is stored with the next item, a line of the log and the learner's progress.
 */
import { sql } from 'drizzle-orm'
import type { Context } from '../src/core/context.ts'
import { studyHint } from '../src/core/tasks/hints.ts'
import { TimerWheel } from '../src/util/timer-wheel.ts'
import { freshParts, type Kind, kinds } from './support/parts.ts'
import { percentile, type Spread, spread } from './support/stats.ts'
import { type Row, shown, shownWithSpread } from './support/table.ts'

const TASKS = 10_000
const USERS = 100
const ITEMS = 10
const ITEM_SECONDS = 60
const WINDOWS = 3
const WINDOW_MS = 5000
const LAG_TARGET_MS = 50

interface Reading {
  /** Percent of one core. */
  cpu: Spread
  /** In ms, the 99th percentile of each window. */
  lag: Spread
}

export async function study(): Promise<Row[]> {
  const rows: Row[] = []
  for (const kind of kinds()) rows.push(...(await measure(kind)))
  return rows
}

async function measure(kind: Kind): Promise<Row[]> {
  const parts = await freshParts(kind)
  try {
    return await parts.prepare(async (ctx) => {
      // Before there are tasks: the server would take them meanwhile.
      const idle = await readIdle()
      await seed(ctx)
      const adopted = await adoptAll(ctx)
      const { reading, steps } = await readRunning(ctx)
      const perSecond = steps / ((WINDOWS * WINDOW_MS) / 1000)
      return [
        {
          name: `study, ${kind}: CPU of ${TASKS} tasks, ${perSecond.toFixed(0)} items a second; floor: as many idle timers`,
          figure: shown(reading.cpu, '%'),
          floor: shown(idle.cpu, '%'),
          ratio: shownWithSpread(spread([reading.cpu.median / idle.cpu.median])),
          target: '',
          ok: undefined,
        },
        {
          name: `study, ${kind}: p99 of how late the end of an item is noticed; floor: idle timers`,
          figure: shown(reading.lag, 'ms'),
          floor: shown(idle.lag, 'ms'),
          ratio: shownWithSpread(spread([reading.lag.median / idle.lag.median])),
          target: `< ${LAG_TARGET_MS} ms`,
          ok: reading.lag.median < LAG_TARGET_MS,
        },
        {
          name: `study, ${kind}: taking over ${TASKS} tasks of another server`,
          figure: `${adopted.toFixed(0)} ms`,
          floor: '',
          ratio: '',
          target: '',
          ok: undefined,
        },
      ]
    })
  } finally {
    await parts.remove()
  }
}

/** Tasks in the middle of their items, as a server leaves them that stops. */
async function seed({ db }: Context): Promise<void> {
  await db.execute(sql`
    insert into users (uuid, username, username_key, display_name, email, email_key, password_hash)
    select gen_random_uuid(), 'learner' || n, 'learner' || n, 'L', 'learner' || n || '@example.com',
      'learner' || n || '@example.com', ''
    from generate_series(1, ${USERS}) n`)
  await db.execute(sql`
    insert into materials (user_id, title, type, status, file_path, file_format, duration_seconds)
    select (select min(id) from users), 'video ' || n, 'video', 'active', 'videos/' || n, 'mp4', ${ITEM_SECONDS}
    from generate_series(1, ${ITEMS}) n`)
  await db.execute(sql`insert into courses (id, name) values (1, 'course')`)
  await db.execute(sql`
    insert into course_items (course_id, position, material_id)
    select 1, row_number() over (order by id), id from materials`)
  await db.execute(sql`
    insert into tasks (uuid, user_id, kind, title, course_ids, status, attempt)
    select gen_random_uuid(), u.id, 'study', 'task ' || n, '["1"]', 'running', 1
    from generate_series(1, ${TASKS}) n join users u on u.username = 'learner' || (1 + n % ${USERS})`)
  await db.execute(sql`
    insert into study_runs (task_id, items, item_index, item_position, item_duration, done_seconds, total_seconds, speed, phase)
    select t.id, plan.items, at.index, random() * ${ITEM_SECONDS}, ${ITEM_SECONDS}, at.index * ${ITEM_SECONDS},
      ${ITEMS * ITEM_SECONDS}, 1, 'playing'
    from tasks t
    cross join lateral (select (t.id + floor(random() * ${ITEMS})::int) % ${ITEMS} as index) at
    cross join (
      select json_agg(json_build_object('course_id', '1', 'item_id', m.id::text, 'name', m.title, 'kind', 'video',
        'duration', ${ITEM_SECONDS}::int, 'position', 0) order by m.id) as items from materials m
    ) plan`)
}

async function adoptAll(ctx: Context): Promise<number> {
  const startedAt = performance.now()
  ctx.bus.publish(studyHint, { type: 'free' })
  for (;;) {
    const [left] = await ctx.db.execute<{ n: number }>(
      sql`select count(*)::int as n from study_runs where runner_id is null and phase <> 'still'`,
    )
    if (left!.n === 0) return performance.now() - startedAt
    await Bun.sleep(20)
  }
}

async function readIdle(): Promise<Reading> {
  let lags: number[] = []
  const wheel: TimerWheel<number> = new TimerWheel((due) => {
    for (const { key, lagMs } of due) {
      lags.push(lagMs)
      wheel.set(key, performance.now() + ITEM_SECONDS * 1000)
    }
  })
  for (let n = 0; n < TASKS; n++) wheel.set(n, performance.now() + Math.random() * ITEM_SECONDS * 1000)
  const reading = await readWindows(() => {
    const some = lags
    lags = []
    return some
  })
  wheel.close()
  return reading
}

async function readRunning(ctx: Context): Promise<{ reading: Reading; steps: number }> {
  let lags: number[] = []
  let steps = 0
  ctx.metrics.studyTimerLag.observe = (seconds) => {
    steps++
    lags.push(seconds * 1000)
  }
  const reading = await readWindows(() => {
    const some = lags
    lags = []
    return some
  })
  return { reading, steps }
}

async function readWindows(takeLags: () => number[]): Promise<Reading> {
  const cpu: number[] = []
  const lag: number[] = []
  takeLags()
  for (let n = 0; n < WINDOWS; n++) {
    const before = process.cpuUsage()
    const startedAt = performance.now()
    await Bun.sleep(WINDOW_MS)
    const { user, system } = process.cpuUsage(before)
    cpu.push(((user + system) / 1000 / (performance.now() - startedAt)) * 100)
    lag.push(percentile(takeLags(), 99))
  }
  return { cpu: spread(cpu), lag: spread(lag) }
}
