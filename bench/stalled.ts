/** The memory that clients cost which have stopped reading, and the delay that they cause for the others. */
import type { SocketClient } from './clients/sockets.ts'
import type { StalledClient } from './clients/stalled.ts'
import type { Live } from './servers/live.ts'
import { startWorker, type Worker } from './support/children.ts'
import { freshParts, kinds } from './support/parts.ts'
import { cpuMs, rss } from './support/readings.ts'
import { seedUsers } from './support/seed.ts'
import { percentile, ratios, spread } from './support/stats.ts'
import { type Row, shown, shownWithSpread } from './support/table.ts'

const USERS = 10
const HEALTHY_EACH = 10
const STALLED_EACH = 10
const STALLED = USERS * STALLED_EACH
/** More than the kernel's buffers between a server and a client hold, so that a client that does not read blocks its socket. */
const FILL = { perSecond: 60, seconds: 4, bytes: 20_000 }
/** One event for each user in every transaction. */
const FLOW = { perSecond: 40, seconds: 4, bytes: 300 }
const ROUNDS = 9
/** One frame, and the answers that a client may leave unread (src/live/user/connection.ts). */
const CAP_KB = (FILL.bytes + 500) / 1024 + 64
const SLOWER = 1.1

export async function stalled(): Promise<Row[]> {
  const kind = kinds().at(-1)!
  const parts = await freshParts(kind)
  const healthy = startWorker<SocketClient>('clients/sockets.ts')
  const unread = startWorker<StalledClient>('clients/stalled.ts')
  try {
    const users = await parts.prepare((ctx) => seedUsers(ctx, USERS))
    const tokens = users.map(({ token }) => token)
    const userIds = users.map(({ id }) => id)
    const server = startWorker<Live>('servers/live.ts', parts.env)
    const port = await server.call('listen')
    await healthy.call('open', port, tokens, HEALTHY_EACH, userIds)

    const round = async (stopped: number) => {
      await fill(server, healthy, userIds)
      const before = cpuMs(server.pid)
      const p99 = await latency(server, healthy, userIds)
      const cpu = cpuMs(server.pid) - before
      const blocked = await server.call('blocked')
      if (blocked !== stopped) throw new Error(`${blocked} sockets are blocked and not ${stopped}`)
      await server.call('gc')
      await server.call('gc')
      return { p99, cpu, rss: rss(server.pid) }
    }
    const without: Awaited<ReturnType<typeof round>>[] = []
    const beside: typeof without = []
    for (let n = 0; n <= ROUNDS; n++) {
      const alone = await round(0)
      await unread.call('open', port, tokens, STALLED_EACH)
      const both = await round(STALLED)
      await unread.call('close')
      await Bun.sleep(500)
      // The first round allocates memory that the server needs only once.
      if (n === 0) continue
      without.push(alone)
      beside.push(both)
    }
    await server.stop()

    const kb = spread(beside.map((reading, n) => (reading.rss - without[n]!.rss) / STALLED / 1024))
    const p99 = beside.map((reading) => reading.p99)
    const p99Alone = without.map((reading) => reading.p99)
    const slower = ratios(p99, p99Alone)
    const cpu = beside.map((reading) => reading.cpu)
    const cpuAlone = without.map((reading) => reading.cpu)
    // The noise of the machine: each measurement against the same one before it.
    const noise = ratios(p99Alone.slice(1), p99Alone.slice(0, -1))
    return [
      {
        name: `stalled, ${kind}: server memory per reader that has stopped, ${STALLED} of them`,
        figure: `${shownWithSpread(kb)} KB`,
        floor: '',
        ratio: '',
        target: `≤ ${CAP_KB.toFixed(0)} KB`,
        ok: kb.median <= CAP_KB,
      },
      {
        name: `stalled, ${kind}: p99 delivery to healthy readers beside them; floor: without them`,
        figure: shown(spread(p99), 'ms'),
        floor: shown(spread(p99Alone), 'ms'),
        ratio: shownWithSpread(slower),
        target: `≤ ${SLOWER}`,
        ok: slower.median <= SLOWER,
      },
      {
        name: `stalled, ${kind}: server CPU for the same deliveries; floor: without them`,
        figure: shown(spread(cpu), 'ms'),
        floor: shown(spread(cpuAlone), 'ms'),
        ratio: shownWithSpread(ratios(cpu, cpuAlone)),
        target: '',
        ok: undefined,
      },
      {
        name: 'stalled: p99 without them against itself one round earlier (noise)',
        figure: '',
        floor: '',
        ratio: shownWithSpread(noise),
        target: '',
        ok: undefined,
      },
    ]
  } finally {
    await Promise.all([healthy.stop(), unread.stop()])
    await parts.remove()
  }
}

/** Sends more than the kernel buffers for a socket whose client does not read. */
async function fill(server: Worker<Live>, healthy: Worker<SocketClient>, userIds: number[]): Promise<void> {
  await server.call('flow', userIds, FILL.perSecond, FILL.seconds, FILL.bytes)
  await healthy.call('received', FILL.perSecond * FILL.seconds * USERS * HEALTHY_EACH)
  await server.call('gc')
}

/** p99 from the commit to a healthy reader, in milliseconds. */
async function latency(
  server: Worker<Live>,
  healthy: Worker<SocketClient>,
  userIds: number[],
): Promise<number> {
  await healthy.call('record')
  const published = await server.call('flow', userIds, FLOW.perSecond, FLOW.seconds, FLOW.bytes)
  await Bun.sleep(500)
  const arrivals = await healthy.call('recorded')
  const expected = FLOW.perSecond * FLOW.seconds * USERS * HEALTHY_EACH
  if (arrivals.length !== expected) throw new Error(`${arrivals.length} frames came and not ${expected}`)
  const at = new Map(published)
  return percentile(
    arrivals.map(([key, arrived]) => arrived - at.get(key)!),
    99,
  )
}
