/**
 * The dashboard in Chromium: the size of its first load, the time until it can be used on a slow processor, the longest tasks
 * with 10,000 photos and 1,000 tasks, and the memory of a page that is left open. BENCH_DASHBOARD_SECONDS: how long it is.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { eq } from 'drizzle-orm'
import type { Page } from 'playwright-core'
import { createTask } from '../src/core/tasks/create.ts'
import { buildPage, firstLoad, MAX_FIRST_SCRIPTS } from '../src/dashboard/build.ts'
import { users } from '../src/db/schema/index.ts'
import { Visitor } from '../tests/browser/browser.ts'
import { manyPhotos, showPictures } from '../tests/browser/crowd.ts'
import type { TestUser } from '../tests/support/factories.ts'
import { startRoost } from './support/children.ts'
import { heapOf, longestTask, PROBE, timeToInteractive } from './support/page-probe.ts'
import { freshParts, type Parts } from './support/parts.ts'
import { seedNodes, seedTasks, seedUsers } from './support/seed.ts'
import { ratios, spread } from './support/stats.ts'
import { type Row, shown, shownWithSpread } from './support/table.ts'

const SECONDS = Number(process.env.BENCH_DASHBOARD_SECONDS ?? 600)
const PHOTOS = 10_000
const [TASKS, RUNNING] = [1000, 20]
const UPDATES_PER_SECOND = 50
const SLOWER = 4
const ROUNDS = 5
const SAMPLES = 10
const WATCH_MS = 10_000
/** The longest task that a user does not feel as a jerk. */
const LONGEST_MS = 100
/** Milliseconds. */
const INTERACTIVE = 2000
const GROWTH = 1.5

export async function dashboard(): Promise<Row[]> {
  const alone = await preactAlone()
  const parts = await freshParts('embedded')
  try {
    const { user, nodeToken } = await prepare(parts)
    const server = await startRoost(parts.env)
    const origin = { url: `http://127.0.0.1:${server.port}` }
    try {
      const first = [await size(alone), await interactive(origin, user, alone)]
      using node = await runningTasks(origin, nodeToken)
      return [...first, ...(await longTasks(origin, user, node)), await memory(origin, user, node)]
    } finally {
      await server.stop()
    }
  } finally {
    await parts.remove()
  }
}

const prepare = (parts: Parts) =>
  parts.prepare(async (ctx) => {
    await manyPhotos({ ctx }, PHOTOS)
    const [{ id, token } = { id: 0, token: '' }] = await seedUsers(ctx, 1)
    await seedTasks(ctx, id, TASKS - RUNNING, 0)
    for (let n = 0; n < RUNNING; n++) {
      await createTask(ctx, id, { kind: 'gpu', title: `Running ${n}`, taskType: 'test' })
    }
    const [node] = await seedNodes(ctx, 1, RUNNING)
    const [row] = await ctx.db.select().from(users).where(eq(users.id, id))
    const user: TestUser = { user: row!, password: '', token, refreshToken: 'none' }
    return { user, nodeToken: node!.token }
  })

/** A page of Preact and signals that shows a heading: what every page made with them costs. */
async function preactAlone(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'roost-bench-'))
  try {
    const entry = join(folder, 'alone.ts')
    const [preact, signals] = ['preact', '@preact/signals'].map((name) =>
      JSON.stringify(Bun.resolveSync(name, import.meta.dir)),
    )
    writeFileSync(
      entry,
      `import { h, render } from ${preact}; import { signal } from ${signals}
       render(h('main', { id: 'content' }, h('h1', null, signal('alone'))), document.body)`,
    )
    const { outputs } = await Bun.build({ entrypoints: [entry], target: 'browser', minify: true })
    return await outputs[0]!.text()
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function size(alone: string): Promise<Row> {
  const page = await buildPage()
  const first = firstLoad(page).reduce((sum, name) => sum + page.assets.get(name)!.brotli!.length, 0)
  const floor = brotliCompressSync(alone).length
  return {
    name: 'JavaScript of the first load (brotli), against Preact alone',
    figure: `${(first / 1000).toFixed(1)} kB`,
    floor: `${(floor / 1000).toFixed(1)} kB`,
    ratio: (first / floor).toFixed(1),
    target: `${MAX_FIRST_SCRIPTS / 1000} kB`,
    ok: first <= MAX_FIRST_SCRIPTS,
  }
}

interface Origin {
  url: string
}

async function interactive(origin: Origin, user: TestUser, alone: string): Promise<Row> {
  using floor = pageOf(alone)
  const read = async (server: Origin, address: string) => {
    // A new profile has nothing in its cache.
    await using visitor = await Visitor.come(server, { user })
    const page = await slowPage(visitor, SLOWER)
    await page.goto(address, { waitUntil: 'commit' })
    return await timeToInteractive(page)
  }
  const [times, floors]: number[][] = [[], []]
  for (let round = 0; round <= ROUNDS; round++) {
    const [time, blank] = [await read(origin, '/#/'), await read(floor, '/')]
    // The first round warms the server and the browser up.
    if (round === 0) continue
    times!.push(time)
    floors!.push(blank)
  }
  const time = spread(times!)
  return {
    name: `overview can be used, on a processor ${SLOWER} times slower, against a heading by Preact`,
    figure: shown(time, 'ms'),
    floor: shown(spread(floors!), 'ms'),
    ratio: shownWithSpread(ratios(times!, floors!)),
    target: `${INTERACTIVE} ms`,
    ok: time.median <= INTERACTIVE,
  }
}

function pageOf(script: string): Origin & Disposable {
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: ({ url }) =>
      new URL(url).pathname === '/alone.js'
        ? new Response(script, { headers: { 'content-type': 'text/javascript' } })
        : new Response('<!doctype html><body><script type="module" src="/alone.js"></script>', {
            headers: { 'content-type': 'text/html' },
          }),
  })
  return { url: `http://127.0.0.1:${server.port}`, [Symbol.dispose]: () => void server.stop(true) }
}

async function slowPage(visitor: Visitor, rate: number): Promise<Page> {
  await visitor.context.addInitScript(PROBE)
  const page = await visitor.context.newPage()
  const devtools = await visitor.context.newCDPSession(page)
  await devtools.send('Emulation.setCPUThrottlingRate', { rate })
  return page
}

async function longTasks(origin: Origin, user: TestUser, node: Node): Promise<Row[]> {
  await using visitor = await Visitor.come(origin, { user })
  await showPictures(visitor.context)
  const page = await slowPage(visitor, 1)
  const show = async (path: string, ready: string) => {
    await page.goto(`/#${path}`)
    await page.locator(ready).first().waitFor()
    await Bun.sleep(1000)
  }
  await show('/account', '#content h1')
  const idle = await longestTask(page, () => Bun.sleep(WATCH_MS))
  await show('/photos', '.photo-grid img')
  await page.mouse.move(640, 400)
  const scrolling = await longestTask(page, async () => {
    for (let n = 0; n < 300; n++) {
      await page.mouse.wheel(0, 1200)
      await Bun.sleep(16)
    }
  })
  await show('/tasks', '.task-progress[data-status="running"]')
  const changing = await longestTask(page, () => node.run(WATCH_MS / 1000))
  const row = (name: string, longest: number): Row => ({
    name: `longest task of ${name}, against a page on which nothing happens`,
    figure: longest === 0 ? 'below 50 ms' : `${longest} ms`,
    floor: idle === 0 ? 'below 50 ms' : `${idle} ms`,
    ratio: '',
    target: `${LONGEST_MS} ms`,
    ok: longest < LONGEST_MS,
  })
  return [
    row(`scrolling through ${PHOTOS} photos`, scrolling),
    row(`${TASKS} tasks of which ${RUNNING} change`, changing),
  ]
}

async function memory(origin: Origin, user: TestUser, node: Node): Promise<Row> {
  await using visitor = await Visitor.come(origin, { user })
  const page = await visitor.context.newPage()
  let frames = 0
  page.on('websocket', (socket) => socket.on('framereceived', () => frames++))
  await page.goto('/#/tasks')
  await page.locator('.task-progress[data-status="running"]').first().waitFor()
  const devtools = await visitor.context.newCDPSession(page)
  await node.run(SECONDS / SAMPLES)
  const heaps = [await heapOf(devtools)]
  frames = 0
  for (let n = 0; n < SAMPLES; n++) {
    await node.run(SECONDS / SAMPLES)
    heaps.push(await heapOf(devtools))
  }
  const [start, end] = [heaps[0]!, heaps.at(-1)!]
  console.error(
    `dashboard: heap ${heaps.map(mb).join(', ')}; ${Math.round(frames / SECONDS)} frames/s arrived`,
  )
  return {
    name: `heap after ${SECONDS} s of ${UPDATES_PER_SECOND} updates/s, against that at their beginning`,
    figure: mb(end),
    floor: mb(start),
    ratio: (end / start).toFixed(2),
    target: String(GROWTH),
    ok: end / start <= GROWTH,
  }
}

const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

type Node = Awaited<ReturnType<typeof runningTasks>>

/** The node that holds the running tasks. They go on for as long as a measurement wants, and never end. */
async function runningTasks({ url }: Origin, token: string) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/node?token=${token}`)
  const leases = new Map<string, { task_id: string; attempt: number }>()
  const send = (frame: object) => socket.send(JSON.stringify(frame))
  const held = Promise.withResolvers<void>()
  socket.onmessage = ({ data }) => {
    const { type, task_id, attempt } = JSON.parse(data)
    if (type !== 'assign') return
    leases.set(task_id, { task_id, attempt })
    send({ type: 'accept', task_id, attempt })
    if (leases.size === RUNNING) held.resolve()
  }
  socket.onclose = ({ code }) => held.reject(new Error(`the node was closed with ${code}`))
  await new Promise((resolve) => {
    socket.onopen = resolve
  })
  const hello = {
    type: 'hello',
    name: 'bench',
    max_concurrent_tasks: RUNNING,
    task_types: ['test'],
    gpus: [],
    running: [],
  }
  send(hello)
  const beat = setInterval(() => send({ type: 'heartbeat', cpu_usage: 1, memory_usage: 1, gpus: [] }), 2000)
  await held.promise
  let sent = 0
  const all = [...leases.values()]
  return {
    async run(seconds: number) {
      const until = performance.now() + seconds * 1000
      while (performance.now() < until) {
        const progress = (sent / UPDATES_PER_SECOND / (SECONDS * 2)) * 100
        send({
          type: 'progress',
          ...all[sent++ % RUNNING]!,
          progress: Math.min(99, progress),
          current_item: `step ${sent}`,
        })
        await Bun.sleep(1000 / UPDATES_PER_SECOND)
      }
    },
    [Symbol.dispose]() {
      clearInterval(beat)
      socket.onclose = null
      socket.close()
    },
  }
}
