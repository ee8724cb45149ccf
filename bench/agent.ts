/** Answers of the agent that stream at the same time: how late a word reaches the channel, and the server's CPU for it. */
import type { AgentClient } from './clients/agent.ts'
import type { Model } from './servers/model.ts'
import { startRoost, startWorker } from './support/children.ts'
import { freshParts, kinds } from './support/parts.ts'
import { cpuMs, rss } from './support/readings.ts'
import { seedUsers } from './support/seed.ts'
import { percentile, ratios, spread } from './support/stats.ts'
import { type Row, shownWithSpread } from './support/table.ts'

const RUNS = 200
/** The rate of a fast model. */
const EVERY_MS = 40
const TOKENS = 250
/** In this time all readers connect before the first word. The answers begin and end up to this much apart. */
const DELAY_MS = 5000
const ROUNDS = 3
const TARGET_TOKENS_PER_FRAME = 5

export async function agent(): Promise<Row[]> {
  const rows: Row[] = []
  for (const kind of kinds()) rows.push(...(await streaming(kind)))
  return rows
}

async function streaming(kind: Parameters<typeof freshParts>[0]): Promise<Row[]> {
  const model = startWorker<Model>('servers/model.ts')
  const client = startWorker<AgentClient>('clients/agent.ts')
  const port = await model.call('listen', DELAY_MS, TOKENS, EVERY_MS)
  const parts = await freshParts(kind, { LLM_BASE_URL: `http://127.0.0.1:${port}/v1`, LLM_MODEL: 'clock' })
  try {
    const users = await parts.prepare((ctx) => seedUsers(ctx, RUNS))
    const server = await startRoost(parts.env)
    const tokens = users.map(({ token }) => token)
    const p99 = { subject: [] as number[], floor: [] as number[] }
    const perFrame: number[] = []
    const perToken: number[] = []
    const memory: number[] = []
    for (let round = 0; round <= ROUNDS; round++) {
      await server.gc()
      const before = { cpu: cpuMs(server.pid), rss: rss(server.pid) }
      let peak = 0
      const watch = setInterval(() => {
        peak = Math.max(peak, rss(server.pid))
      }, 500)
      const heard = await client.call('channel', server.port, tokens)
      clearInterval(watch)
      const floor = await client.call('direct', port, RUNS)
      if (heard.delays.length !== RUNS * TOKENS) throw new Error(`${heard.delays.length} words came`)
      // The first round warms everything up.
      if (round === 0) continue
      p99.subject.push(percentile(heard.delays, 99))
      p99.floor.push(percentile(floor.delays, 99))
      perFrame.push(heard.delays.length / heard.frames)
      perToken.push(((cpuMs(server.pid) - before.cpu) * 1000) / heard.delays.length)
      memory.push((peak - before.rss) / RUNS / 1024)
    }
    await server.stop()
    const name = `agent, ${kind}, ${RUNS} answers at once, ${1000 / EVERY_MS} words/s each`
    const gathered = spread(perFrame)
    return [
      {
        name: `${name}: p99 delay from word to frame; floor: read from the model itself`,
        figure: `${shownWithSpread(spread(p99.subject))} ms`,
        floor: `${shownWithSpread(spread(p99.floor))} ms`,
        ratio: shownWithSpread(ratios(p99.subject, p99.floor)),
        target: '',
        ok: undefined,
      },
      {
        name: `${name}: words per frame`,
        figure: shownWithSpread(gathered),
        floor: '1',
        ratio: shownWithSpread(gathered),
        target: `≥ ${TARGET_TOKENS_PER_FRAME}`,
        ok: gathered.median >= TARGET_TOKENS_PER_FRAME,
      },
      {
        name: `${name}: server CPU per word`,
        figure: `${shownWithSpread(spread(perToken))} µs`,
        floor: '',
        ratio: '',
        target: '',
        ok: undefined,
      },
      {
        name: `${name}: server memory per answer, at most`,
        figure: `${shownWithSpread(spread(memory))} KB`,
        floor: '',
        ratio: '',
        target: '',
        ok: undefined,
      },
    ]
  } finally {
    await Promise.all([model.stop(), client.stop()])
    await parts.remove()
  }
}
