/**
 * What the rate limits and the metrics cost: signed-in reads under `/v1` with the limits on against off, the counters in memory
 * and, with BENCH_REDIS_URL, on Redis; and a scrape with every series present against the joining of as many lines.
 */
import { Metrics } from '../src/core/metrics.ts'
import type { HttpClient, Request } from './clients/http.ts'
import { type Server, startRoost, startWorker } from './support/children.ts'
import { freshParts } from './support/parts.ts'
import { cpuMs } from './support/readings.ts'
import { seedUsers } from './support/seed.ts'
import { ratios, spread } from './support/stats.ts'
import { type Row, shown, shownWithSpread } from './support/table.ts'

const CONNECTIONS = 16
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 7)
const WARM_UP = 2
const ROUND_MS = 1500
/** A signed-in request that is refused as wrong input without a query, so that the limit is a large part of its cost. */
const PATH = '/v1/upload/status/none'
/** No request of the measurement is refused. */
const HIGH = 'transfer=900000000/86400'

export async function rateLimits(): Promise<Row[]> {
  const rows = [await measure('in memory', {})]
  const redis = process.env.BENCH_REDIS_URL
  if (redis) rows.push(await measure('on Redis', { REDIS_URL: redis }))
  return [...rows, scrape()]
}

async function measure(where: string, env: Record<string, string>): Promise<Row> {
  const parts = [await freshParts('embedded'), await freshParts('embedded')] as const
  const client = startWorker<HttpClient>('clients/http.ts', {}, 'load')
  try {
    const servers: [server: Server, requests: Request[][]][] = []
    for (const [n, { prepare, env: own }] of parts.entries()) {
      const users = await prepare((ctx) => seedUsers(ctx, CONNECTIONS))
      const limits = n === 0 ? { RATE_LIMITS: 'on', REQUEST_LIMITS: HIGH } : { RATE_LIMITS: 'off' }
      servers.push([
        await startRoost({ ...own, ...env, ...limits }, 'server'),
        users.map(({ token }) => [{ path: PATH, token }]),
      ])
    }
    const costs: [number[], number[]] = [[], []]
    for (let round = 1 - WARM_UP; round <= ROUNDS; round++) {
      for (const [n, [{ port, pid }, requests]] of servers.entries()) {
        const before = cpuMs(pid)
        const { total } = await client.call('load', { port, requests, ms: ROUND_MS, status: 400 })
        if (round > 0) costs[n]!.push(((cpuMs(pid) - before) * 1000) / total)
      }
    }
    await Promise.all(servers.map(([server]) => server.stop()))
    const ratio = ratios(costs[0], costs[1])
    return {
      name: `limits, counters ${where}: server CPU of GET ${PATH}; floor: RATE_LIMITS=off`,
      figure: shown(spread(costs[0]), 'µs'),
      floor: shown(spread(costs[1]), 'µs'),
      ratio: shownWithSpread(ratio),
      target: where === 'in memory' ? '≤ 1.1' : '',
      ok: where === 'in memory' ? ratio.median <= 1.1 : undefined,
    }
  } finally {
    await client.stop()
    await Promise.all(parts.map((one) => one.remove()))
  }
}

const ROUTES = 250
const QUEUES = 20
const SCRAPES = 200
const MOST_MS = 5

/** More series than a server has: each route with three classes of status, each queue with each result. */
function scrape(): Row {
  const metrics = new Metrics()
  for (let n = 0; n < ROUTES; n++) {
    for (const status of ['2xx', '4xx', '5xx'])
      metrics.requests.of(`/v1/things/:id/${n}`, 'GET', status).value = n
    metrics.requestSeconds.of(`/v1/things/:id/${n}`, 'GET').value = n / 7
  }
  for (const api of ['/v1', '/api/v1', '/api', 'other', 'transfer', 'wait'])
    metrics.requestDuration.of(api).observe(0.1)
  for (let n = 0; n < QUEUES; n++)
    for (const result of ['completed', 'failed', 'given_up'])
      metrics.jobRuns.of(`queue-${n}`, result).value = n
  const lines = metrics.registry.render('prometheus').split('\n')
  const times: [number[], number[]] = [[], []]
  for (let n = 0; n < SCRAPES; n++) {
    times[0].push(timed(() => metrics.registry.render('prometheus')))
    times[1].push(timed(() => lines.reduce((text, line) => `${text}${line}\n`, '')))
  }
  const [ours, floor] = [spread(times[0]), spread(times[1])]
  return {
    name: `metrics, a scrape of ${lines.length} lines; floor: the joining of these lines`,
    figure: shown(ours, 'ms'),
    floor: shown(floor, 'ms'),
    ratio: shownWithSpread(ratios(times[0], times[1])),
    target: `≤ ${MOST_MS} ms`,
    ok: ours.median <= MOST_MS,
  }
}

function timed(run: () => string): number {
  const start = performance.now()
  // The last character makes the engine join the text.
  run().charCodeAt(1000)
  return performance.now() - start
}
