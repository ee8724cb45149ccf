/**
 * Signed-in reads of one row: against bare Elysia with the same query, and against a SELECT with an answer of the same size,
 * without Drizzle and without a token. The server has one processor and its load another one. PostgreSQL may run on any.
 */
import type { HttpClient, Request } from './clients/http.ts'
import type { RestFloor } from './servers/rest-floor.ts'
import { startRoost, startWorker } from './support/children.ts'
import { freshParts, type Kind, kinds, type Parts } from './support/parts.ts'
import { cpuMs } from './support/readings.ts'
import { seedTasks, seedUsers } from './support/seed.ts'
import { ratios, spread } from './support/stats.ts'
import { type Row, shown, shownWithSpread } from './support/table.ts'

const CONNECTIONS = 16
const TASKS_EACH = 20
const LOG_LINES = 8
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 7)
/** Rounds that are not counted. After them, both programs are compiled. */
const WARM_UP = 2
const ROUND_MS = 2000

interface Read {
  name: string
  floor: string
  /** The smallest ratio of requests a second that is good. */
  target: number
  paths(taskIds: number[]): string[]
  floorPaths(taskIds: number[]): string[]
}
const tasksUnder = (base: string) => (ids: number[]) => ids.map((id) => `${base}/tasks/${id}`)
const me = () => ['/api/users/me']

const READS: Read[] = [
  {
    name: 'GET /api/users/me',
    floor: 'the same with bare Elysia and Drizzle',
    target: 0.9,
    paths: me,
    floorPaths: me,
  },
  {
    name: 'GET /api/tasks/{id}',
    floor: 'the same with bare Elysia and Drizzle',
    target: 0.9,
    paths: tasksUnder('/api'),
    floorPaths: tasksUnder('/api'),
  },
  {
    name: 'GET /api/tasks/{id}',
    floor: 'a SELECT by hand, no token',
    target: 0.5,
    paths: tasksUnder('/api'),
    floorPaths: tasksUnder('/bare'),
  },
]

export async function rest(): Promise<Row[]> {
  const rows: Row[] = []
  for (const kind of kinds()) rows.push(...(await measure(kind)))
  return rows
}

interface Reading {
  perSecond: number
  /** CPU of the server for each request, in µs. */
  cpu: number
  /** Size of an answer. */
  bytes: number
}

async function measure(kind: Kind): Promise<Row[]> {
  const [parts, floorParts] = [await freshParts(kind), await freshParts(kind)]
  const client = startWorker<HttpClient>('clients/http.ts', {}, 'load')
  try {
    const users = await seed(parts)
    const floorUsers = await seed(floorParts)
    const server = await startRoost(parts.env, 'server')
    const floor = startWorker<RestFloor>('servers/rest-floor.ts', floorParts.env, 'server')
    const floorPort = await floor.call('listen')
    const read = async (pid: number, port: number, requests: Request[][]): Promise<Reading> => {
      const before = cpuMs(pid)
      const { perSecond, bytes, total } = await client.call('load', { port, requests, ms: ROUND_MS })
      return { perSecond, bytes, cpu: ((cpuMs(pid) - before) * 1000) / total }
    }
    const readings = READS.map(() => ({ server: [] as Reading[], floor: [] as Reading[] }))
    for (let round = 1 - WARM_UP; round <= ROUNDS; round++) {
      for (const [n, { paths, floorPaths }] of READS.entries()) {
        const ours = await read(server.pid, server.port, requestsOf(users, paths))
        const theirs = await read(floor.pid, floorPort, requestsOf(floorUsers, floorPaths))
        if (round <= 0) continue
        readings[n]!.server.push(ours)
        readings[n]!.floor.push(theirs)
      }
    }
    await Promise.all([server.stop(), floor.stop()])
    return READS.flatMap((one, n) => rowsOf(kind, one, readings[n]!))
  } finally {
    await client.stop()
    await Promise.all([parts.remove(), floorParts.remove()])
  }
}

function rowsOf(kind: Kind, read: Read, { server, floor }: { server: Reading[]; floor: Reading[] }): Row[] {
  const of = (pick: (reading: Reading) => number) => ({ ours: server.map(pick), theirs: floor.map(pick) })
  const [rate, cpu] = [of((reading) => reading.perSecond), of((reading) => reading.cpu)]
  const ratio = ratios(rate.ours, rate.theirs)
  const sizes = `${Math.round(server[0]!.bytes)} B, ${Math.round(floor[0]!.bytes)} B`
  return [
    {
      name: `rest, ${kind}: ${read.name}; floor: ${read.floor} (${sizes})`,
      figure: shown(spread(rate.ours), 'req/s'),
      floor: shown(spread(rate.theirs), 'req/s'),
      ratio: shownWithSpread(ratio),
      target: `≥ ${read.target}`,
      ok: ratio.median >= read.target,
    },
    {
      name: `rest, ${kind}: server CPU of it`,
      figure: shown(spread(cpu.ours), 'µs'),
      floor: shown(spread(cpu.theirs), 'µs'),
      ratio: shownWithSpread(ratios(cpu.ours, cpu.theirs)),
      target: '',
      ok: undefined,
    },
  ]
}

interface Reader {
  token: string
  taskIds: number[]
}

/** One user for each connection, who reads their own rows. */
const requestsOf = (users: Reader[], paths: (taskIds: number[]) => string[]): Request[][] =>
  users.map(({ token, taskIds }) => paths(taskIds).map((path) => ({ path, token })))

const seed = (parts: Parts): Promise<Reader[]> =>
  parts.prepare(async (ctx) => {
    const readers: Reader[] = []
    for (const { id, token } of await seedUsers(ctx, CONNECTIONS)) {
      readers.push({ token, taskIds: await seedTasks(ctx, id, TASKS_EACH, LOG_LINES) })
    }
    return readers
  })
