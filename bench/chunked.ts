/** A photo of the largest accepted size in chunks of the documented size: the speed, and the server's memory. */
import { users } from '../src/db/schema/index.ts'
import type { ChunksClient } from './clients/chunks.ts'
import type { ChunksFloor } from './servers/chunks-floor.ts'
import { type Server, startRoost, startWorker, type Worker } from './support/children.ts'
import { freshParts } from './support/parts.ts'
import { rss } from './support/readings.ts'
import { type SeededUser, seedUsers } from './support/seed.ts'
import { ratios, spread } from './support/stats.ts'
import { type Row, shown, shownWithSpread } from './support/table.ts'

const MB = 1024 * 1024
const FILE = { size: 50 * MB, chunkSize: MB }
/** During its first uploads, a server spends a third of its processor time on compiling its own code and PGlite's. */
const WARM_UP = 10
const ROUNDS = 7
const TARGET = 0.5
const SETTLE_MS = 500

const TOGETHER = 2
const MAX_GROWTH_MB = 64
const SAMPLE_MS = 20
const MEMORY_ROUNDS = 5

interface Subject {
  server: Server
  user: SeededUser
}

export async function chunked(): Promise<Row[]> {
  const parts = await freshParts('embedded', {})
  const clients = Array.from({ length: TOGETHER }, () => startWorker<ChunksClient>('clients/chunks.ts'))
  const floors = [{}, { DIGEST: '1' }].map((env) => startWorker<ChunksFloor>('servers/chunks-floor.ts', env))
  try {
    const [user] = await parts.prepare(async (ctx) => {
      const seeded = await seedUsers(ctx, 1)
      await ctx.db.update(users).set({ role: 'editor' })
      return seeded
    })
    const server = await startRoost(parts.env)
    try {
      const subject = { server, user: user! }
      return [...(await speed(subject, clients[0]!, floors)), await memory(subject, clients)]
    } finally {
      await server.stop()
    }
  } finally {
    await Promise.all([...clients, ...floors].map((worker) => worker.stop()))
    await parts.remove()
  }
}

/** @returns milliseconds. The file is deleted at once, so that the server does not try for long to make renditions of it. */
async function send(client: Worker<ChunksClient>, { server, user }: Subject): Promise<number> {
  const { ms, fileId } = await client.call('upload', { port: server.port, token: user.token, ...FILE })
  const url = `http://127.0.0.1:${server.port}/v1/upload/${fileId}`
  await fetch(url, { method: 'DELETE', headers: { authorization: `Bearer ${user.token}` } })
  return ms
}

/** The second floor shows what the digest costs, which Roost takes of every photo. */
async function speed(
  subject: Subject,
  client: Worker<ChunksClient>,
  floors: Worker<ChunksFloor>[],
): Promise<Row[]> {
  const ports = await Promise.all(floors.map((floor) => floor.call('listen')))
  const rates: number[] = []
  const floorRates: number[][] = floors.map(() => [])
  const rate = (ms: number) => FILE.size / MB / (ms / 1000)
  for (let round = 1 - WARM_UP; round <= ROUNDS; round++) {
    const ours = rate(await send(client, subject))
    if (round > 0) rates.push(ours)
    await Bun.sleep(SETTLE_MS)
    for (const [i, port] of ports.entries()) {
      const bare = rate((await client.call('upload', { port, token: '', ...FILE })).ms)
      if (round > 0) floorRates[i]!.push(bare)
      await Bun.sleep(SETTLE_MS)
    }
  }
  const [plain, digest] = floorRates.map((floor) => ({ floor, ratio: ratios(rates, floor) }))
  return [
    {
      name: 'chunked: a photo of 50 MB in chunks of 1 MB, on the disk when it is complete; floor: files of chunks, then one file',
      figure: shown(spread(rates), 'MB/s'),
      floor: shown(spread(plain!.floor), 'MB/s'),
      ratio: shownWithSpread(plain!.ratio),
      target: `≥ ${TARGET}`,
      ok: plain!.ratio.median >= TARGET,
    },
    {
      name: 'chunked: the same; floor: with the SHA-256 of the file, which Roost takes too',
      figure: shown(spread(rates), 'MB/s'),
      floor: shown(spread(digest!.floor), 'MB/s'),
      ratio: shownWithSpread(digest!.ratio),
      target: '',
      ok: undefined,
    },
  ]
}

/** How much the server's memory grows during two uploads at the same time. There is no floor, because the target is absolute. */
async function memory(subject: Subject, clients: Worker<ChunksClient>[]): Promise<Row> {
  const { server } = subject
  const growths: number[] = []
  for (let round = 0; round < MEMORY_ROUNDS; round++) {
    await server.gc()
    const before = rss(server.pid)
    let peak = before
    const sampling = setInterval(() => {
      peak = Math.max(peak, rss(server.pid))
    }, SAMPLE_MS)
    await Promise.all(clients.map((client) => send(client, subject)))
    clearInterval(sampling)
    growths.push((peak - before) / MB)
  }
  const growth = spread(growths)
  return {
    name: `chunked: growth of the server's memory with ${TOGETHER} photos of 50 MB at once`,
    figure: `${shownWithSpread(growth)} MB`,
    floor: '',
    ratio: '',
    target: `< ${MAX_GROWTH_MB} MB`,
    ok: growth.median < MAX_GROWTH_MB,
  }
}
