/**
 * Requests that write: each against the same transaction written by hand, and tasks against Socket.IO with one INSERT. The
 * server has one processor and its load another one. PostgreSQL may run on any.
 */
import { SERVER } from '../src/core/audit/audit.ts'
import { updateSystemConfig } from '../src/core/system/settings.ts'
import type { HttpClient, Request } from './clients/http.ts'
import type { SocketClient } from './clients/sockets.ts'
import type { Transaction, WriteFloor } from './servers/write-floor.ts'
import { startRoost, startSocketIo, startWorker, type Worker } from './support/children.ts'
import { freshParts, type Kind, kinds, type Parts } from './support/parts.ts'
import { cpuMs } from './support/readings.ts'
import { type SeededUser, seedUsers } from './support/seed.ts'
import { ratios, spread } from './support/stats.ts'
import { type Row, shown, shownWithSpread } from './support/table.ts'

const IN_FLIGHT = 8
const USERS = 40
const MANY = 20
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 7)
/** Rounds that are not counted. JavaScriptCore needs some ten seconds of load before it has compiled a hot function at best. */
const WARM_UP = 4
const ROUND_MS = 2000
const TARGET = { transaction: 0.5, socketIo: 1, delivery: 0.6 }
/** Higher than a round needs. Every round has its own users, because the server counts each user's tasks for the limit. */
const SOME_LIMIT = 1_000_000

export async function write(): Promise<Row[]> {
  const rows: Row[] = []
  for (const kind of kinds()) rows.push(...(await measure(kind)))
  return rows
}

/** One reading: answers a second, and CPU of the server for each, in µs. */
interface Reading {
  perSecond: number
  cpu: number
}

async function measure(kind: Kind): Promise<Row[]> {
  const [parts, floorParts] = [await freshParts(kind), await freshParts(kind)]
  const http = startWorker<HttpClient>('clients/http.ts', {}, 'load')
  const sockets = startWorker<SocketClient>('clients/sockets.ts', {}, 'load')
  const socketIo =
    kind === 'PostgreSQL'
      ? await startSocketIo({ DATABASE_URL: floorParts.env.DATABASE_URL! }, 'server')
      : undefined
  try {
    const users = await seed(parts, USERS * (ROUNDS + WARM_UP) * 4)
    const floorUsers = (await seed(floorParts, USERS)).map(({ id }) => id)
    const server = await startRoost(parts.env, 'server')
    const floor = startWorker<WriteFloor>('servers/write-floor.ts', floorParts.env, 'server')
    const load = { http, sockets }
    const readings = {
      one: [] as Reading[],
      many: [] as Reading[],
      ioOne: [] as Reading[],
      ioMany: [] as Reading[],
      signUp: [] as Reading[],
      message: [] as Reading[],
      upload: [] as Reading[],
    }
    const floors: Record<Exclude<Transaction, 'threeRows'>, Reading[]> = {
      task: [],
      taskAsOneStatement: [],
      signUp: [],
      message: [],
      upload: [],
    }
    const byHand = async (name: Transaction): Promise<Reading> => {
      const before = cpuMs(floor.pid)
      const { perSecond, done } = await floor.call('run', name, floorUsers, IN_FLIGHT, ROUND_MS)
      return { perSecond, cpu: ((cpuMs(floor.pid) - before) * 1000) / done }
    }
    const roost = { pid: server.pid, port: server.port }
    const next = () => users.splice(0, USERS)
    for (let round = 1 - WARM_UP; round <= ROUNDS; round++) {
      const requests = next()
      const some = {
        task: await byHand('task'),
        one: await watched(load, roost, next(), 1),
        taskAsOneStatement: await byHand('taskAsOneStatement'),
        many: await watched(load, roost, next(), MANY),
        ioOne: socketIo && (await watched(load, { ...socketIo, socketIo: true }, requests, 1)),
        ioMany: socketIo && (await watched(load, { ...socketIo, socketIo: true }, requests, MANY)),
        signUp: await send(http, roost, requests, signUp),
        byHandSignUp: await byHand('signUp'),
        message: await send(http, roost, requests, message),
        byHandMessage: await byHand('message'),
      }
      if (round <= 0) continue
      for (const name of ['one', 'many', 'ioOne', 'ioMany', 'signUp', 'message'] as const) {
        const reading = some[name]
        if (reading) readings[name].push(reading)
      }
      floors.task.push(some.task)
      floors.taskAsOneStatement.push(some.taskAsOneStatement)
      floors.signUp.push(some.byHandSignUp)
      floors.message.push(some.byHandMessage)
    }
    // Afterwards, because the server makes thumbnails for a long time after each upload.
    for (let round = 1 - WARM_UP; round <= ROUNDS; round++) {
      const reading = await send(http, roost, next(), upload)
      const floorReading = await byHand('upload')
      if (round <= 0) continue
      readings.upload.push(reading)
      floors.upload.push(floorReading)
    }
    await Promise.all([server.stop(), floor.stop()])
    return [
      ...(['one', 'many'] as const).map((name) =>
        against(
          `${kind}: POST /api/tasks, watched by ${name === 'one' ? 1 : MANY}; floor: the transaction by hand`,
          {
            readings: readings[name],
            floor: floors.task,
            target: TARGET.transaction,
          },
        ),
      ),
      against(`${kind}: the same; floor: as one statement`, {
        readings: readings.one,
        floor: floors.taskAsOneStatement,
      }),
      ...(['signUp', 'message', 'upload'] as const).map((name) =>
        against(`${kind}: ${NAMES[name]}; floor: by hand`, {
          readings: readings[name],
          floor: floors[name],
          target: TARGET.transaction,
        }),
      ),
      ...(socketIo ? againstSocketIo(readings) : []),
    ]
  } finally {
    await Promise.all([http.stop(), sockets.stop(), socketIo?.stop()])
    await Promise.all([parts.remove(), floorParts.remove()])
  }
}

const NAMES = {
  signUp: 'POST /api/auth/register',
  message: 'POST /api/v1/agent-chats',
  upload: 'POST /api/v1/upload, 4 KB',
}

function against(
  name: string,
  { readings, floor, target }: { readings: Reading[]; floor: Reading[]; target?: number },
): Row {
  const rate = (of: Reading[]) => of.map(({ perSecond }) => perSecond)
  const cpu = (of: Reading[]) => shown(spread(of.map((reading) => reading.cpu)), 'µs')
  const ratio = ratios(rate(readings), rate(floor))
  return {
    name: `write, ${name} (CPU ${cpu(readings)}; floor ${cpu(floor)})`,
    figure: shown(spread(rate(readings)), '/s'),
    floor: shown(spread(rate(floor)), '/s'),
    ratio: shownWithSpread(ratio),
    target: target === undefined ? '' : `≥ ${target}`,
    ok: target === undefined ? undefined : ratio.median >= target,
  }
}

function againstSocketIo(of: Record<'one' | 'many' | 'ioOne' | 'ioMany', Reading[]>): Row[] {
  /** Of one more socket, in µs. */
  const delivery = (one: Reading[], many: Reading[]) =>
    many.map(({ cpu }, round) => (cpu - one[round]!.cpu) / (MANY - 1))
  const [ours, theirs] = [delivery(of.one, of.many), delivery(of.ioOne, of.ioMany)]
  const ratio = ratios(ours, theirs)
  const floor = 'floor: Socket.IO and one INSERT'
  return [
    against(`PostgreSQL: POST /api/tasks, watched by 1; ${floor}`, {
      readings: of.one,
      floor: of.ioOne,
      target: TARGET.socketIo,
    }),
    against(`PostgreSQL: POST /api/tasks, watched by ${MANY}; ${floor}`, {
      readings: of.many,
      floor: of.ioMany,
      target: TARGET.socketIo,
    }),
    {
      name: 'write, PostgreSQL: CPU of a further delivery; floor: Socket.IO',
      figure: shown(spread(ours), 'µs'),
      floor: shown(spread(theirs), 'µs'),
      ratio: shownWithSpread(ratio),
      target: `≤ ${TARGET.delivery}`,
      ok: ratio.median <= TARGET.delivery,
    },
  ]
}

interface Subject {
  pid: number
  port: number
  socketIo?: boolean
}

/** Tasks of users who each have this many sockets open. The measurement ends when every event has reached every socket. */
async function watched(
  { http, sockets }: { http: Worker<HttpClient>; sockets: Worker<SocketClient> },
  { pid, port, socketIo = false }: Subject,
  users: SeededUser[],
  each: number,
): Promise<Reading> {
  const names = users.map(({ id, token }) => (socketIo ? String(id) : token))
  await sockets.call(socketIo ? 'openSocketIo' : 'open', port, names, each)
  const before = cpuMs(pid)
  const requests = lanes(names, (token) => ({ method: 'POST', path: '/api/tasks', token, body: TASK }))
  const { perSecond, total } = await http.call('load', { port, requests, ms: ROUND_MS, status: 201 })
  await sockets.call('received', total * each)
  const cpu = ((cpuMs(pid) - before) * 1000) / total
  await sockets.call('close')
  return { perSecond, cpu }
}

async function send(
  http: Worker<HttpClient>,
  { pid, port }: Subject,
  users: SeededUser[],
  { status, requestOf }: { status: number; requestOf: (token: string) => Request[] },
): Promise<Reading> {
  const requests = lanes(
    users.map(({ token }) => token),
    requestOf,
  )
  const before = cpuMs(pid)
  const { perSecond, total } = await http.call('load', { port, requests, ms: ROUND_MS, status })
  return { perSecond, cpu: ((cpuMs(pid) - before) * 1000) / total }
}

/** The requests of every lane, which sends one at a time. */
const lanes = (tokens: string[], requestOf: (token: string) => Request | Request[]): Request[][] =>
  Array.from({ length: IN_FLIGHT }, (_, lane) =>
    tokens.filter((_, n) => n % IN_FLIGHT === lane).flatMap((token) => requestOf(token)),
  )

const TASK = JSON.stringify({ name: 'bench', course_ids: ['1'] })
const SIGN_UPS_EACH = 60
const signUp = {
  status: 201,
  requestOf: () =>
    Array.from({ length: SIGN_UPS_EACH }, () => {
      const username = `b${crypto.randomUUID().replaceAll('-', '').slice(0, 16)}`
      const body = {
        username,
        email: `${username}@example.com`,
        password: 'correct horse',
        full_name: username,
      }
      return { method: 'POST', path: '/api/auth/register', token: '', body: JSON.stringify(body) }
    }),
}
const message = {
  status: 200,
  requestOf: (token: string) => [
    { method: 'POST', path: '/api/v1/agent-chats', token, body: JSON.stringify({ message: 'hello' }) },
  ],
}
const BOUNDARY = 'bench-boundary'
const MP4 = `${'\0'.repeat(3)}\x18ftypisom\0\0\x02\0isomiso2`
const upload = {
  status: 201,
  requestOf: (token: string) => {
    const part = (head: string, content: string) =>
      `--${BOUNDARY}\r\nContent-Disposition: form-data; ${head}\r\n\r\n${content}\r\n`
    const file = part('name="file"; filename="bench.mp4"\r\nContent-Type: video/mp4', MP4.padEnd(4096, 'x'))
    const body = `${part('name="title"', 'bench')}${file}--${BOUNDARY}--\r\n`
    return [
      {
        method: 'POST',
        path: '/api/v1/upload',
        token,
        body,
        type: `multipart/form-data; boundary=${BOUNDARY}`,
      },
    ]
  },
}

const seed = (parts: Parts, count: number): Promise<SeededUser[]> =>
  parts.prepare(async (ctx) => {
    await updateSystemConfig(ctx, SERVER, { maxConcurrentTasksPerUser: SOME_LIMIT })
    return seedUsers(ctx, count)
  })
