/** Uploads of the largest accepted video: their speed and the server's memory; and the thumbnails after uploads. */

import { join } from 'node:path'
import { connect, type EventType } from '../src/client/index.ts'
import type { Uploaded } from '../src/contracts/learning/materials/models.ts'
import { startS3 } from '../tests/storage/kinds.ts'
import type { UploadClient } from './clients/upload.ts'
import type { ThumbnailFloor } from './servers/thumbnail-floor.ts'
import type { UploadFloor } from './servers/upload-floor.ts'
import { type Server, startRoost, startWorker, type Worker } from './support/children.ts'
import { freshParts } from './support/parts.ts'
import { cpuMs, rss } from './support/readings.ts'
import { type SeededUser, seedUsers } from './support/seed.ts'
import { ratios, spread } from './support/stats.ts'
import { type Row, shown, shownWithSpread } from './support/table.ts'

const MB = 1024 * 1024
const SIZE = 500 * MB
const ROUNDS = 7
const TARGET = 0.6
const SETTLE_MS = 1000

const TOGETHER = 2
const MAX_GROWTH_MB = 64
const SAMPLE_MS = 20
const MEMORY_ROUNDS = 5

const VIDEO = join(import.meta.dir, '../tests/imaging/fixtures/rotated.mp4')
const VIDEOS = 20
const THUMBNAIL_ROUNDS = 3

export const upload = async (): Promise<Row[]> => [
  ...(await speed()),
  await memory('disk'),
  await memory('S3'),
  await thumbnails(),
]

interface Subject {
  server: Server
  user: SeededUser
}

async function withServer<T>(
  env: Record<string, string>,
  work: (subject: Subject) => Promise<T>,
): Promise<T> {
  const parts = await freshParts('embedded', env)
  try {
    const [user] = await parts.prepare((ctx) => seedUsers(ctx, 1))
    const server = await startRoost(parts.env)
    try {
      return await work({ server, user: user! })
    } finally {
      await server.stop()
    }
  } finally {
    await parts.remove()
  }
}

async function send(client: Worker<UploadClient>, { server, user }: Subject, size: number): Promise<number> {
  const { ms, status, body } = await client.call('upload', { port: server.port, token: user.token, size })
  if (status !== 201) throw new Error(`an upload was answered ${status} ${body}`)
  // Deleted at once, so that the disk does not fill and no thumbnail is tried for long.
  const { id } = JSON.parse(body) as Uploaded
  const headers = { authorization: `Bearer ${user.token}` }
  await fetch(`http://127.0.0.1:${server.port}/api/v1/upload/${id}`, { method: 'DELETE', headers })
  return ms
}

async function speed(): Promise<Row[]> {
  const client = startWorker<UploadClient>('clients/upload.ts')
  const floor = startWorker<UploadFloor>('servers/upload-floor.ts')
  try {
    return await withServer({}, async (subject) => {
      const port = await floor.call('listen')
      const readings = {
        rate: [] as number[],
        floorRate: [] as number[],
        cpu: [] as number[],
        floorCpu: [] as number[],
      }
      const measure = async (pid: number, once: () => Promise<number>) => {
        const before = cpuMs(pid)
        const ms = await once()
        const cpu = cpuMs(pid) - before
        await Bun.sleep(SETTLE_MS)
        return { rate: SIZE / MB / (ms / 1000), cpu }
      }
      // The first round warms both up.
      for (let round = 0; round <= ROUNDS; round++) {
        const ours = await measure(subject.server.pid, () => send(client, subject, SIZE))
        const bare = await measure(
          floor.pid,
          async () => (await client.call('upload', { port, token: '', size: SIZE })).ms,
        )
        if (round === 0) continue
        readings.rate.push(ours.rate)
        readings.floorRate.push(bare.rate)
        readings.cpu.push(ours.cpu)
        readings.floorCpu.push(bare.cpu)
      }
      const { rate, floorRate, cpu, floorCpu } = readings
      const ratio = ratios(rate, floorRate)
      return [
        {
          name: 'upload: a video of 500 MB, on the disk when it is answered; floor: the same bytes to a file',
          figure: shown(spread(rate), 'MB/s'),
          floor: shown(spread(floorRate), 'MB/s'),
          ratio: shownWithSpread(ratio),
          target: `≥ ${TARGET}`,
          ok: ratio.median >= TARGET,
        },
        {
          name: 'upload: server CPU per video of 500 MB',
          figure: shown(spread(cpu), 'ms'),
          floor: shown(spread(floorCpu), 'ms'),
          ratio: shownWithSpread(ratios(cpu, floorCpu)),
          target: '',
          ok: undefined,
        },
      ]
    })
  } finally {
    await Promise.all([client.stop(), floor.stop()])
  }
}

/** How much the server's memory grows during two uploads at the same time. There is no floor, because the target is absolute. */
async function memory(storage: 'disk' | 'S3'): Promise<Row> {
  await using s3 = storage === 'S3' ? await startS3() : undefined
  const clients = Array.from({ length: TOGETHER }, () => startWorker<UploadClient>('clients/upload.ts'))
  try {
    return await withServer(s3 ? s3Env(s3.config()) : {}, async (subject) => {
      // Modules that the first upload loads do not count as growth.
      await send(clients[0]!, subject, 20 * MB)
      const growths: number[] = []
      for (let round = 0; round < MEMORY_ROUNDS; round++) {
        await subject.server.gc()
        const before = rss(subject.server.pid)
        let peak = before
        const sampling = setInterval(() => {
          peak = Math.max(peak, rss(subject.server.pid))
        }, SAMPLE_MS)
        await Promise.all(clients.map((client) => send(client, subject, SIZE)))
        clearInterval(sampling)
        growths.push((peak - before) / MB)
      }
      const growth = spread(growths)
      return {
        name: `upload, ${storage}: growth of the server's memory with ${TOGETHER} videos of 500 MB at once`,
        figure: `${shownWithSpread(growth)} MB`,
        floor: '',
        ratio: '',
        target: `< ${MAX_GROWTH_MB} MB`,
        ok: growth.median < MAX_GROWTH_MB,
      }
    })
  } finally {
    await Promise.all(clients.map((client) => client.stop()))
  }
}

const s3Env = ({ endpoint, bucket, region, accessKeyId, secretAccessKey }: S3Settings) => ({
  S3_ENDPOINT: endpoint!,
  S3_BUCKET: bucket,
  S3_REGION: region,
  S3_ACCESS_KEY_ID: accessKeyId,
  S3_SECRET_ACCESS_KEY: secretAccessKey,
})
type S3Settings = ReturnType<Awaited<ReturnType<typeof startS3>>['config']>

/** From the uploads to the last `thumbnail.completed`. The floor makes the same pictures without a queue or a server. */
async function thumbnails(): Promise<Row> {
  const floor = startWorker<ThumbnailFloor>('servers/thumbnail-floor.ts')
  try {
    return await withServer({}, async ({ server, user }) => {
      const video = await Bun.file(VIDEO).bytes()
      const upload = async () => {
        const body = new FormData()
        body.append('title', 'bench')
        body.append('file', new File([video], 'bench.mp4'))
        const headers = { authorization: `Bearer ${user.token}` }
        const url = `http://127.0.0.1:${server.port}/api/v1/upload`
        const { status } = await fetch(url, { method: 'POST', headers, body })
        if (status !== 201) throw new Error(`an upload was answered ${status}`)
      }
      const perMinute: number[] = []
      const floorPerMinute: number[] = []
      const rate = (ms: number) => (VIDEOS / ms) * 60_000
      for (let round = 0; round <= THUMBNAIL_ROUNDS; round++) {
        const made = await countEvents(server, user, 'thumbnail.completed', VIDEOS)
        const startedAt = performance.now()
        for (let i = 0; i < VIDEOS; i++) await upload()
        await made.promise
        const ms = performance.now() - startedAt
        const bare = await floor.call('render', VIDEO, VIDEOS)
        if (round === 0) continue
        perMinute.push(rate(ms))
        floorPerMinute.push(rate(bare))
      }
      return {
        name: 'upload: thumbnails of 1280 × 720 videos, from upload to event; floor: only made',
        figure: shown(spread(perMinute), '/min'),
        floor: shown(spread(floorPerMinute), '/min'),
        ratio: shownWithSpread(ratios(perMinute, floorPerMinute)),
        target: '',
        ok: undefined,
      }
    })
  } finally {
    await floor.stop()
  }
}

/** Listens on the user's channel; `promise` resolves with the last of `count` events. */
async function countEvents({ port }: Server, { token }: SeededUser, type: EventType, count: number) {
  const live = connect({ url: `http://127.0.0.1:${port}`, token })
  const promise = new Promise<void>((resolve) => {
    let seen = 0
    live.on(type, () => {
      if (++seen < count) return
      live.close()
      resolve()
    })
  })
  await new Promise<void>((resolve) => live.onStatus((status) => status === 'live' && resolve()))
  return { promise }
}
