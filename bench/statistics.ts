/** The dashboard and the statistics of 100,000 photos and 1,000,000 views, against reading one photo by its key. */
import { sql } from 'drizzle-orm'
import type postgres from 'postgres'
import type { Context } from '../src/core/context.ts'
import { foldCounts } from '../src/core/statistics/counts.ts'
import { readDashboard } from '../src/core/statistics/dashboard.ts'
import { photoStatistics } from '../src/core/statistics/photos.ts'
import { storageReport } from '../src/core/statistics/storage.ts'
import { viewStatistics } from '../src/core/statistics/views.ts'
import { arrayLiteral } from '../src/db/arrays.ts'
import { SUMMED_QUARTERS } from '../src/db/schema/index.ts'
import { freshParts, type Kind, kinds } from './support/parts.ts'
import { seedPhotos } from './support/seed-photos.ts'
import { ratios, spread } from './support/stats.ts'
import { type Row, shown, shownWithSpread } from './support/table.ts'

const PHOTOS = Number(process.env.BENCH_PHOTOS ?? 100_000)
const VIEWS = 1_000_000
/** Of a year, each with views. */
const QUARTERS = 35_040
const CHANGES = 2000
const STEP = 2500
const ROUNDS = 5
const ROUND_MS = 600

interface Subject {
  name: string
  target: number
  read: (ctx: Context) => Promise<unknown>
}

const dashboard = (period: string, timezone: string): Subject => ({
  name: `dashboard of ${period} in ${timezone}`,
  target: 50,
  read: (ctx) => readDashboard(ctx, { viewer: undefined, origin: 'http://localhost' }, { period, timezone }),
})

const photos = (by: 'taken' | 'created', year: number | undefined): Subject => ({
  name: `photos by month, ${by} ${year === undefined ? 'ever' : `in ${year}`}`,
  target: year === undefined ? 200 : 50,
  read: (ctx) => photoStatistics(ctx, { unit: 'month', by, year, timezone: 'Europe/Berlin' }),
})

const SUBJECTS: Subject[] = [
  dashboard('30d', 'UTC'),
  dashboard('30d', 'Asia/Kathmandu'),
  dashboard('1y', 'Asia/Kathmandu'),
  photos('taken', 2024),
  photos('taken', undefined),
  photos('created', undefined),
  {
    name: 'views of a year by day',
    target: 50,
    read: (ctx) => viewStatistics(ctx, { period: '1y', unit: 'day', timezone: 'Europe/Berlin' }),
  },
  { name: 'storage', target: 50, read: storageReport },
]

export async function statistics(): Promise<Row[]> {
  const rows: Row[] = []
  for (const kind of kinds()) rows.push(...(await measure(kind)))
  return rows
}

async function measure(kind: Kind): Promise<Row[]> {
  const parts = await freshParts(kind)
  try {
    return await parts.prepare(async (ctx) => {
      await seedPhotos(ctx, PHOTOS)
      await seedStatistics(ctx)
      // The bare driver, with a prepared statement.
      const driver = (ctx.db as unknown as { $client: postgres.Sql }).$client
      const byKey = (n: number) => driver`select * from photos where id = ${1 + ((n * 9973) % PHOTOS)}`
      const costs = SUBJECTS.map((): number[] => [])
      const floors = SUBJECTS.map((): number[] => [])
      // The first round warms everything up.
      for (let round = 0; round <= ROUNDS; round++) {
        for (const [which, { read }] of SUBJECTS.entries()) {
          const floor = await costOf(byKey)
          const cost = await costOf(() => read(ctx))
          if (round === 0) continue
          floors[which]!.push(floor)
          costs[which]!.push(cost)
        }
      }
      return SUBJECTS.map(({ name, target }, which) => {
        const ratio = ratios(costs[which]!, floors[which]!)
        return {
          name: `statistics, ${kind}: ${name}; floor: one photo of ${PHOTOS} by its key`,
          figure: shown(spread(costs[which]!), 'ms'),
          floor: shown(spread(floors[which]!), 'ms'),
          ratio: shownWithSpread(ratio),
          target: `<= ${target}`,
          ok: ratio.median <= target,
        }
      })
    })
  } finally {
    await parts.remove()
  }
}

/** Photos created over two years, views over one, and as many changes of counts as a busy minute has. */
export async function seedStatistics(ctx: Context): Promise<void> {
  // In steps, because a statement may take ten seconds.
  for (let from = 1; from <= PHOTOS; from += STEP) {
    await ctx.db.execute(sql`
      update photos set created_at = now() - id * interval '10 minutes', view_count = (id * 7919::bigint) % ${(2 * VIEWS) / PHOTOS}::int
      where id between ${from}::int and ${from + STEP - 1}::int`)
  }
  await ctx.db.execute(sql`
    insert into photo_views (quarters, at, count)
    select quarters, date_bin(quarters * interval '15 minutes', now() - n * interval '15 minutes', timestamptz '1970-01-01 00:00Z'),
      sum(${Math.round(VIEWS / QUARTERS)}::int)
    from generate_series(0, ${QUARTERS - 1}) n, unnest(${arrayLiteral(SUMMED_QUARTERS)}::int[]) quarters group by 1, 2`)
  await foldCounts(ctx)
  await ctx.db.execute(sql`
    insert into count_changes (kind, id, n) select 'tag', 1 + n % 300, n % 3 - 1 from generate_series(1, ${CHANGES}) n`)
  for (const table of ['photos', 'photo_index', 'photo_files', 'photo_views', 'counts', 'count_changes'])
    await ctx.db.execute(sql`vacuum analyze ${sql.identifier(table)}`)
}

/** Milliseconds of one read, one after the other. */
async function costOf(read: (n: number) => PromiseLike<unknown>): Promise<number> {
  const startedAt = performance.now()
  let reads = 0
  while (performance.now() - startedAt < ROUND_MS / 2 || reads === 0) await read(reads++)
  return (performance.now() - startedAt) / reads
}
