/** The time from the request that makes a task to its assignment to an idle node. */
import type { NodesClient } from './clients/nodes.ts'
import type { DispatchFloor } from './servers/dispatch-floor.ts'
import { startRoost, startWorker } from './support/children.ts'
import { freshParts, type Kind, kinds } from './support/parts.ts'
import { seedNodes, seedUsers } from './support/seed.ts'
import { percentile, ratios, spread } from './support/stats.ts'
import { type Row, shownWithSpread } from './support/table.ts'

const TASKS = 60
const ROUNDS = 7
const TARGET_MS = 15

export async function dispatch(): Promise<Row[]> {
  const rows: Row[] = []
  for (const kind of kinds()) rows.push(await measure(kind))
  return rows
}

async function measure(kind: Kind): Promise<Row> {
  const parts = await freshParts(kind)
  const floorParts = await freshParts(kind)
  const client = startWorker<NodesClient>('clients/nodes.ts')
  const floorClient = startWorker<NodesClient>('clients/nodes.ts')
  try {
    const [[user], [node]] = await parts.prepare(async (ctx) => [
      await seedUsers(ctx, 1),
      await seedNodes(ctx, 1),
    ])
    // The floor's tasks belong to the first administrator.
    await floorParts.prepare(async () => {})
    const server = await startRoost(parts.env)
    const floor = startWorker<DispatchFloor>('servers/dispatch-floor.ts', floorParts.env)
    const floorPort = await floor.call('listen')
    await client.call('openNode', server.port, node!.token)
    await floorClient.call('openNode', floorPort, '-')

    const times: number[][] = []
    const floorTimes: number[][] = []
    for (let round = 0; round <= ROUNDS; round++) {
      const some = await client.call('dispatch', server.port, user!.token, TASKS, true)
      const bare = await floorClient.call('dispatch', floorPort, '-', TASKS, false)
      if (round === 0) continue
      times.push(some)
      floorTimes.push(bare)
    }
    await Promise.all([server.stop(), floor.stop()])

    const medians = (rounds: number[][]) => rounds.map((round) => percentile(round, 50))
    const median = spread(medians(times))
    const p99 = percentile(times.flat(), 99)
    return {
      name: `dispatch, ${kind}: POST /api/tasks to assign, median (p99 ${p99.toFixed(1)} ms)`,
      figure: `${shownWithSpread(median)} ms`,
      floor: `${shownWithSpread(spread(medians(floorTimes)))} ms`,
      ratio: shownWithSpread(ratios(medians(times), medians(floorTimes))),
      target: `< ${TARGET_MS} ms`,
      ok: median.median < TARGET_MS,
    }
  } finally {
    await Promise.all([client.stop(), floorClient.stop()])
    await Promise.all([parts.remove(), floorParts.remove()])
  }
}
