/** Reading one task, signed in, against a bare route that does an equally large SELECT. */
import type { HttpClient } from './clients/http.ts'
import type { RestFloor } from './servers/rest-floor.ts'
import { startRoost, startWorker } from './support/children.ts'
import { freshParts, type Kind, kinds } from './support/parts.ts'
import { cpuMs } from './support/readings.ts'
import { seedTasks, seedUsers } from './support/seed.ts'
import { percentile, ratios, spread } from './support/stats.ts'
import { type Row, shown, shownWithSpread } from './support/table.ts'

const CONNECTIONS = 16
const TASKS_EACH = 20
const LOG_LINES = 8
const ROUNDS = 9
const ROUND_MS = 2000
const TARGET = 0.5

export async function rest(): Promise<Row[]> {
  const rows: Row[] = []
  for (const kind of kinds()) rows.push(...(await measure(kind)))
  return rows
}

async function measure(kind: Kind): Promise<Row[]> {
  const parts = await freshParts(kind)
  const floorParts = await freshParts(kind)
  const client = startWorker<HttpClient>('clients/http.ts')
  try {
    const requests = await seed(parts)
    const floorRequests = await seed(floorParts)
    const server = await startRoost(parts.env)
    const floor = startWorker<RestFloor>('servers/rest-floor.ts', floorParts.env)
    const floorPort = await floor.call('listen')

    const subject = { pid: server.pid, load: { port: server.port, requests, ms: ROUND_MS } }
    const bare = { pid: floor.pid, load: { port: floorPort, requests: floorRequests, ms: ROUND_MS } }
    const measureOnce = async ({ pid, load }: typeof subject) => {
      const before = cpuMs(pid)
      const result = await client.call('load', load)
      return {
        ...result,
        cpu: (cpuMs(pid) - before) / result.answered,
        p99: percentile(result.latencies, 99),
      }
    }
    const readings = { subject: [] as Reading[], floor: [] as Reading[] }
    type Reading = Awaited<ReturnType<typeof measureOnce>>
    // The first round warms both up.
    for (let round = 0; round <= ROUNDS; round++) {
      const [a, b] = [await measureOnce(subject), await measureOnce(bare)]
      if (round === 0) continue
      readings.subject.push(a)
      readings.floor.push(b)
    }
    await Promise.all([server.stop(), floor.stop()])

    const of = (who: Reading[], pick: (reading: Reading) => number) => who.map(pick)
    const [rate, floorRate] = [
      of(readings.subject, (r) => r.perSecond),
      of(readings.floor, (r) => r.perSecond),
    ]
    const [cpu, floorCpu] = [of(readings.subject, (r) => r.cpu), of(readings.floor, (r) => r.cpu)]
    const ratio = ratios(rate, floorRate)
    const size = (who: Reading[]) => `${Math.round(who[0]!.bytes)} B`
    return [
      {
        name: `rest, ${kind}: GET /api/tasks/{id} (${size(readings.subject)}; floor ${size(readings.floor)})`,
        figure: shown(spread(rate), 'req/s'),
        floor: shown(spread(floorRate), 'req/s'),
        ratio: shownWithSpread(ratio),
        target: `≥ ${TARGET}`,
        ok: ratio.median >= TARGET,
      },
      {
        name: `rest, ${kind}: server CPU per request`,
        figure: shown(spread(cpu), 'ms'),
        floor: shown(spread(floorCpu), 'ms'),
        ratio: shownWithSpread(ratios(cpu, floorCpu)),
        target: '',
        ok: undefined,
      },
    ]
  } finally {
    await client.stop()
    await Promise.all([parts.remove(), floorParts.remove()])
  }
}

/** One user for each connection, who reads their own tasks. */
const seed = (parts: Awaited<ReturnType<typeof freshParts>>) =>
  parts.prepare(async (ctx) => {
    const requests: { path: string; token: string }[][] = []
    for (const user of await seedUsers(ctx, CONNECTIONS)) {
      const ids = await seedTasks(ctx, user.id, TASKS_EACH, LOG_LINES)
      requests.push(ids.map((id) => ({ path: `/api/tasks/${id}`, token: user.token })))
    }
    return requests
  })
