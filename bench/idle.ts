/** The server's memory for a signed-in socket on which nothing happens. */
import type { SocketClient } from './clients/sockets.ts'
import type { SocketFloor } from './servers/socket-floor.ts'
import { startRoost, startWorker } from './support/children.ts'
import { freshParts } from './support/parts.ts'
import { cpuMs, rss } from './support/readings.ts'
import { seedUsers } from './support/seed.ts'
import { ratios, spread } from './support/stats.ts'
import { type Row, shown, shownWithSpread } from './support/table.ts'

const USERS = 250
const EACH = 20
const SOCKETS = USERS * EACH
/** Sockets that are opened and closed before the first reading, so that memory that a server needs once does not count. */
const WARM_UP_USERS = 25
const ROUNDS = 5
const SETTLE_MS = 1500
const CPU_MS = 4000
const TARGET_KB = 16

interface Subject {
  pid: number
  port: number
  gc(): Promise<void>
}

/** Every reading has a server of its own, because a process keeps the memory of closed sockets. */
export async function idle(): Promise<Row[]> {
  const parts = await freshParts('embedded')
  try {
    const tokens = (await parts.prepare((ctx) => seedUsers(ctx, USERS))).map(({ token }) => token)
    const figures = {
      kb: [] as number[],
      floorKb: [] as number[],
      cpu: [] as number[],
      floorCpu: [] as number[],
    }
    for (let round = 0; round < ROUNDS; round++) {
      const server = await startRoost(parts.env)
      const reading = await measure(server, tokens)
      await server.stop()
      figures.kb.push(reading.kb)
      figures.cpu.push(reading.cpuPercent)

      const floor = startWorker<SocketFloor>('servers/socket-floor.ts')
      const bare = await measure(
        { pid: floor.pid, port: await floor.call('listen'), gc: () => floor.call('gc') },
        tokens,
      )
      await floor.stop()
      figures.floorKb.push(bare.kb)
      figures.floorCpu.push(bare.cpuPercent)
    }
    const kb = spread(figures.kb)
    return [
      {
        name: `idle: memory per socket, ${SOCKETS} signed-in sockets of ${USERS} users`,
        figure: `${shownWithSpread(kb)} KB`,
        floor: shown(spread(figures.floorKb), 'KB'),
        ratio: shownWithSpread(ratios(figures.kb, figures.floorKb)),
        target: `≤ ${TARGET_KB} KB`,
        ok: kb.median <= TARGET_KB,
      },
      {
        name: `idle: CPU with ${SOCKETS} sockets on which nothing happens`,
        figure: shown(spread(figures.cpu), '%'),
        floor: shown(spread(figures.floorCpu), '%'),
        ratio: '',
        target: '',
        ok: undefined,
      },
    ]
  } finally {
    await parts.remove()
  }
}

async function measure({ pid, port, gc }: Subject, tokens: string[]) {
  const client = startWorker<SocketClient>('clients/sockets.ts')
  await client.call('open', port, tokens.slice(0, WARM_UP_USERS), EACH)
  await client.call('close')
  await settle(gc)
  const before = rss(pid)
  await client.call('open', port, tokens, EACH)
  await settle(gc)
  const kb = (rss(pid) - before) / SOCKETS / 1024
  const cpuBefore = cpuMs(pid)
  await Bun.sleep(CPU_MS)
  const cpuPercent = ((cpuMs(pid) - cpuBefore) / CPU_MS) * 100
  await client.stop()
  return { kb, cpuPercent }
}

async function settle(gc: () => Promise<void>): Promise<void> {
  await Bun.sleep(SETTLE_MS)
  await gc()
  await gc()
}
