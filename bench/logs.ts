/**
 * What the log in the database costs: requests of a server that stores its lines against one that only prints them, and lines a
 * second against a logger that throws them away.
 */
import { SystemLog } from '../src/core/logs/system-log.ts'
import { Metrics } from '../src/core/metrics.ts'
import { createLogger } from '../src/util/logger.ts'
import type { HttpClient, Request } from './clients/http.ts'
import { type Server, startRoost, startWorker } from './support/children.ts'
import { freshParts, type Kind, kinds } from './support/parts.ts'
import { cpuMs } from './support/readings.ts'
import { seedUsers } from './support/seed.ts'
import { ratios, spread } from './support/stats.ts'
import { type Row, shown, shownWithSpread } from './support/table.ts'

const CONNECTIONS = 16
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 15)
const WARM_UP = 2
/** Longer than the time between two flushes. */
const ROUND_MS = 1500
const PATH = '/api/users/me'
/** As many lines as may wait. */
const LINES = 15_000

export async function logs(): Promise<Row[]> {
  const rows: Row[] = []
  for (const kind of kinds()) rows.push(await ofRequest(kind), await lines(kind))
  return rows
}

/** The CPU of the server's process, which for the embedded database has the database in it. */
async function ofRequest(kind: Kind): Promise<Row> {
  const parts = [await freshParts(kind), await freshParts(kind)] as const
  const client = startWorker<HttpClient>('clients/http.ts', {}, 'load')
  try {
    const servers: [server: Server, requests: Request[][]][] = []
    for (const [n, { prepare, env }] of parts.entries()) {
      const users = await prepare((ctx) => seedUsers(ctx, CONNECTIONS))
      servers.push([
        await startRoost({ ...env, LOG_KEEP_DAYS: n === 0 ? '30' : '0' }, 'server'),
        users.map(({ token }) => [{ path: PATH, token }]),
      ])
    }
    const costs: [number[], number[]] = [[], []]
    for (let round = 1 - WARM_UP; round <= ROUNDS; round++) {
      // In turns, and not always the same one first.
      for (const n of round % 2 === 0 ? [0, 1] : [1, 0]) {
        const [{ port, pid }, requests] = servers[n]!
        const before = cpuMs(pid)
        const { total } = await client.call('load', { port, requests, ms: ROUND_MS, status: 200 })
        if (round > 0) costs[n]!.push(((cpuMs(pid) - before) * 1000) / total)
      }
    }
    await Promise.all(servers.map(([server]) => server.stop()))
    const ratio = ratios(costs[0], costs[1])
    return {
      name: `logs, ${kind}: server CPU of GET ${PATH} with its line in the table; floor: LOG_KEEP_DAYS=0`,
      figure: shown(spread(costs[0]), 'µs'),
      floor: shown(spread(costs[1]), 'µs'),
      ratio: shownWithSpread(ratio),
      target: '≤ 1.03',
      ok: ratio.median <= 1.03,
    }
  } finally {
    await client.stop()
    await Promise.all(parts.map((one) => one.remove()))
  }
}

async function lines(kind: Kind): Promise<Row> {
  const parts = await freshParts(kind)
  try {
    return await parts.prepare(async ({ db, config }) => {
      const rates: [number[], number[]] = [[], []]
      for (let round = 1 - WARM_UP; round <= ROUNDS; round++) {
        for (const logKeepDays of [30, 0]) {
          const log = createLogger('info', { write() {} })
          const systemLog = new SystemLog({
            db,
            config: { ...config, logKeepDays },
            log,
            metrics: new Metrics(),
          })
          const startedAt = performance.now()
          for (let n = 0; n < LINES; n++)
            log.info(
              { id: `req_${n}`, method: 'GET', path: `/api/tasks/${n}`, status: 200, ms: 1.5 },
              'request',
            )
          await systemLog.close()
          if (round > 0)
            rates[logKeepDays === 30 ? 0 : 1]!.push((LINES * 1000) / (performance.now() - startedAt))
        }
      }
      return {
        name: `logs, ${kind}: lines stored; floor: lines that nobody stores or prints`,
        figure: shown(spread(rates[0]!), '/s'),
        floor: shown(spread(rates[1]!), '/s'),
        ratio: shownWithSpread(ratios(rates[0]!, rates[1]!)),
        target: '',
        ok: undefined,
      }
    })
  } finally {
    await parts.remove()
  }
}
