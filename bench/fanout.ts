/** The server's CPU for sending events to 1,000 sockets, against a bare server that sends the same bytes. */
import type { HttpClient } from './clients/http.ts'
import type { SocketClient } from './clients/sockets.ts'
import type { Live } from './servers/live.ts'
import type { SocketFloor } from './servers/socket-floor.ts'
import { startRoost, startWorker } from './support/children.ts'
import { freshParts, kinds } from './support/parts.ts'
import { cpuMs } from './support/readings.ts'
import { type SeededUser, seedUsers } from './support/seed.ts'
import { ratios, spread } from './support/stats.ts'
import { type Row, shown, shownWithSpread } from './support/table.ts'

const SOCKETS = 1000
const EVENT_BYTES = 50
const ROUNDS = 9
/** How many events each socket gets in a round: so few that all are written to the log between two polls of the hub. */
const deliveries = (users: number) => Math.min(40, 5000 / users)
const MAX_TRIES = 40
const TARGET = 1.5
const PER = 100_000

export async function fanout(): Promise<Row[]> {
  const rows = [await delivery(50), await delivery(SOCKETS)]
  for (const kind of kinds()) rows.push(await committed(kind))
  return rows
}

/** From the hint of the log to the sockets. The events are in the log before the measurement begins. */
async function delivery(users: number): Promise<Row> {
  const parts = await freshParts('embedded')
  const client = startWorker<SocketClient>('clients/sockets.ts')
  const floorClient = startWorker<SocketClient>('clients/sockets.ts')
  const floor = startWorker<SocketFloor>('servers/socket-floor.ts')
  try {
    const seeded = await parts.prepare((ctx) => seedUsers(ctx, users))
    const server = startWorker<Live>('servers/live.ts', parts.env)
    const tokens = seeded.map(({ token }) => token)
    await client.call('open', await server.call('listen'), tokens, SOCKETS / users)
    await floorClient.call('open', await floor.call('listen'), tokens, SOCKETS / users)
    const userIds = seeded.map(({ id }) => id)

    const rounds = deliveries(users)
    const total = SOCKETS * rounds
    const cpu: number[] = []
    const floorCpu: number[] = []
    for (let tries = 0; cpu.length <= ROUNDS; tries++) {
      if (tries === MAX_TRIES) throw new Error('the machine is too busy: every round met a poll of the hub')
      const frames = await server.call('write', userIds, rounds, EVENT_BYTES)
      let undisturbed = true
      const spent = await costOf(server.pid, async () => {
        undisturbed = await server.call('publish', users)
        await client.call('received', total)
      })
      const floorSpent = await costOf(floor.pid, async () => {
        await floor.call('broadcast', frames, users)
        await floorClient.call('received', total)
      })
      if (!undisturbed) continue
      cpu.push((spent / total) * PER)
      floorCpu.push((floorSpent / total) * PER)
    }
    // The first round warms both up.
    cpu.shift()
    floorCpu.shift()
    await server.stop()
    const ratio = ratios(cpu, floorCpu)
    return {
      name: `fanout: server CPU per 100,000 deliveries, ${users} users × ${SOCKETS / users} sockets`,
      figure: shown(spread(cpu), 'ms'),
      floor: shown(spread(floorCpu), 'ms'),
      ratio: shownWithSpread(ratio),
      target: `≤ ${TARGET}`,
      ok: ratio.median <= TARGET,
    }
  } finally {
    await Promise.all([client.stop(), floorClient.stop(), floor.stop()])
    await parts.remove()
  }
}

const USERS = 16
const EACH = 20
const CREATIONS = 10

/** From the request that makes a task to the sockets, database driver included. The floor is the same without sockets. */
async function committed(kind: 'embedded' | 'PostgreSQL'): Promise<Row> {
  const parts = await freshParts(kind)
  const client = startWorker<SocketClient>('clients/sockets.ts')
  const http = startWorker<HttpClient>('clients/http.ts')
  try {
    const users = await parts.prepare((ctx) => seedUsers(ctx, USERS * (ROUNDS + 1) * 2))
    const server = await startRoost(parts.env)
    const create = async (who: SeededUser[]) => {
      const requests = who.map(({ token }) => [
        { method: 'POST', path: '/api/tasks', token, body: '{"name":"bench","course_ids":["1"]}' },
      ])
      const spent = await costOf(server.pid, () =>
        http.call('load', { port: server.port, requests, times: CREATIONS, status: 201 }),
      )
      return spent / (who.length * CREATIONS)
    }
    const watched: number[] = []
    const unwatched: number[] = []
    for (let round = 0; round <= ROUNDS; round++) {
      // Each round has its own users, because a user's number of tasks is limited.
      const some = users.splice(0, USERS)
      await client.call(
        'open',
        server.port,
        some.map(({ token }) => token),
        EACH,
      )
      const cost = await create(some)
      await client.call('received', USERS * EACH * CREATIONS)
      await client.call('close')
      const bare = await create(users.splice(0, USERS))
      if (round === 0) continue
      watched.push(cost)
      unwatched.push(bare)
    }
    await server.stop()
    return {
      name: `fanout, ${kind}: server CPU per POST /api/tasks, watched by ${EACH} sockets; floor: by none`,
      figure: shown(spread(watched), 'ms'),
      floor: shown(spread(unwatched), 'ms'),
      ratio: shownWithSpread(ratios(watched, unwatched)),
      target: '',
      ok: undefined,
    }
  } finally {
    await Promise.all([client.stop(), http.stop()])
    await parts.remove()
  }
}

async function costOf(pid: number, work: () => Promise<unknown>): Promise<number> {
  const before = cpuMs(pid)
  await work()
  return cpuMs(pid) - before
}
