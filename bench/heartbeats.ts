/** Heartbeats of many nodes: their delay to the dashboards that watch them, and the statements that they cause. */
import postgres from 'postgres'
import type { NodesClient } from './clients/nodes.ts'
import type { SocketFloor } from './servers/socket-floor.ts'
import { startRoost, startWorker } from './support/children.ts'
import { freshParts, type Kind, kinds } from './support/parts.ts'
import { cpuMs } from './support/readings.ts'
import { seedNodes, seedUsers } from './support/seed.ts'
import { percentile, ratios, spread } from './support/stats.ts'
import { type Row, shown, shownWithSpread } from './support/table.ts'

const NODES = 200
const DASHBOARDS = 20
const ROUNDS = 5
const SECONDS = 5
const TARGET_MS = 100
/** Nodes for the count of statements. */
const MANY_NODES = 500
const COUNT_SECONDS = 10

export async function heartbeats(): Promise<Row[]> {
  const rows: Row[] = []
  for (const kind of kinds()) rows.push(...(await delay(kind)))
  if (kinds().includes('PostgreSQL')) rows.push(await statements())
  return rows
}

async function delay(kind: Kind): Promise<Row[]> {
  // Long, so that the server does not call nodes silent that pause while the floor is measured.
  const parts = await freshParts(kind, { NODE_HEARTBEAT_SECONDS: '3' })
  const client = startWorker<NodesClient>('clients/nodes.ts')
  const floorClient = startWorker<NodesClient>('clients/nodes.ts')
  const floor = startWorker<SocketFloor>('servers/socket-floor.ts')
  try {
    const { users, nodes } = await parts.prepare(async (ctx) => ({
      users: (await seedUsers(ctx, DASHBOARDS)).map(({ token }) => token),
      nodes: await seedNodes(ctx, NODES),
    }))
    const nodeTokens = nodes.map(({ token }) => token)
    const ids = nodes.map(({ uuid }) => uuid)
    const server = await startRoost(parts.env)
    await client.call('openNodes', server.port, nodeTokens)
    await client.call('watch', server.port, users, ids)
    const floorPort = await floor.call('listen')
    await floorClient.call('openNodes', floorPort, nodeTokens)
    await floorClient.call('watch', floorPort, users, [])

    const p99 = { subject: [] as number[], floor: [] as number[] }
    const cpu = { subject: [] as number[], floor: [] as number[] }
    const once = async (who: 'subject' | 'floor', warm: boolean) => {
      const [from, pid] = who === 'subject' ? [client, server.pid] : [floorClient, floor.pid]
      await from.call('beat')
      const before = cpuMs(pid)
      const { delays, sent } = await from.call('sample', SECONDS)
      const perUpdate = ((cpuMs(pid) - before) * 1000) / (sent * DASHBOARDS)
      await from.call('pause')
      // The server may skip values of a state, but not for a dashboard that reads fast enough.
      if (delays.length < sent * DASHBOARDS * 0.98) {
        throw new Error(`${delays.length} updates came of ${sent * DASHBOARDS}`)
      }
      if (warm) return
      p99[who].push(percentile(delays, 99))
      cpu[who].push(perUpdate)
    }
    for (let round = 0; round <= ROUNDS; round++) {
      await once('subject', round === 0)
      await once('floor', round === 0)
    }
    await server.stop()
    const median = spread(p99.subject)
    return [
      {
        name: `heartbeats, ${kind}: p99 delay to gpu_update, ${NODES} nodes at 1/s, ${DASHBOARDS} dashboards`,
        figure: `${shownWithSpread(median)} ms`,
        floor: `${shownWithSpread(spread(p99.floor))} ms`,
        ratio: shownWithSpread(ratios(p99.subject, p99.floor)),
        target: `< ${TARGET_MS} ms`,
        ok: median.median < TARGET_MS,
      },
      {
        name: `heartbeats, ${kind}: server CPU per gpu_update`,
        figure: shown(spread(cpu.subject), 'µs'),
        floor: shown(spread(cpu.floor), 'µs'),
        ratio: shownWithSpread(ratios(cpu.subject, cpu.floor)),
        target: '',
        ok: undefined,
      },
    ]
  } finally {
    await Promise.all([client.stop(), floorClient.stop(), floor.stop()])
    await parts.remove()
  }
}

/** Transactions that PostgreSQL counts with heartbeats and without. For heartbeats the server uses only single statements. */
async function statements(): Promise<Row> {
  const parts = await freshParts('PostgreSQL', { NODE_HEARTBEAT_SECONDS: '1' })
  const client = startWorker<NodesClient>('clients/nodes.ts')
  const observer = postgres(parts.env.DATABASE_URL!, { max: 1, onnotice: () => {} })
  try {
    const nodes = await parts.prepare((ctx) => seedNodes(ctx, MANY_NODES))
    const server = await startRoost(parts.env)
    const count = async (meanwhile: () => Promise<unknown>) => {
      const before = await commits(observer)
      const startedAt = performance.now()
      await meanwhile()
      const seconds = (performance.now() - startedAt) / 1000
      return ((await commits(observer)) - before) / seconds
    }
    const quiet = await count(() => Bun.sleep(COUNT_SECONDS * 1000))
    await client.call(
      'openNodes',
      server.port,
      nodes.map(({ token }) => token),
    )
    // After the first heartbeats, nodes are online again that were silent while the others opened.
    await client.call('beat')
    await Bun.sleep(2000)
    let sent = 0
    const busy = await count(async () => {
      ;({ sent } = await client.call('sample', COUNT_SECONDS))
    })
    await client.call('close')
    await server.stop()
    const perSecond = busy - quiet
    const beats = sent / COUNT_SECONDS
    return {
      name: `heartbeats: SQL statements for ${MANY_NODES} nodes at 1/s; floor: heartbeats (without any: ${quiet.toFixed(1)}/s)`,
      figure: `${perSecond.toFixed(1)} /s`,
      floor: `${beats.toFixed(0)} /s`,
      ratio: (perSecond / beats).toFixed(3),
      target: '',
      ok: undefined,
    }
  } finally {
    await client.stop()
    await observer.end()
    await parts.remove()
  }
}

/** The count of about a second ago, because a backend of PostgreSQL reports its figures with a delay. */
async function commits(observer: postgres.Sql): Promise<number> {
  const [row] = await observer`
    select xact_commit + xact_rollback as n from pg_stat_database where datname = current_database()`
  return Number(row!.n)
}
