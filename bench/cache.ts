/**
 * Answers from the cache against computing them, of 10,000 photos: from the memory of the server, and with BENCH_REDIS_URL from
 * Redis, as a server gets what another one has computed. And what it costs a change of a photo to raise its generation.
 */
import { eq } from 'drizzle-orm'
import { createMemoryCache } from '../src/cache/memory.ts'
import { createRedisCache } from '../src/cache/redis.ts'
import { listCategories } from '../src/core/categories/read.ts'
import type { Context } from '../src/core/context.ts'
import { cached } from '../src/core/generations/cached.ts'
import { FIRST_PAGE, listPhotos } from '../src/core/photos/list.ts'
import { FIRST_CLOUD, tagCloud } from '../src/core/tags/lists.ts'
import { transaction } from '../src/core/transaction.ts'
import { photos, settings } from '../src/db/schema/index.ts'
import { freshParts, type Kind, kinds } from './support/parts.ts'
import { seedPhotos } from './support/seed-photos.ts'
import { ratios, spread } from './support/stats.ts'
import { type Row, shown, shownWithSpread } from './support/table.ts'

const PHOTOS = Number(process.env.BENCH_PHOTOS ?? 10_000)
const ROUNDS = 5
const ROUND_MS = 300
const MAX_BYTES = 32_000_000

type Read = (ctx: Context) => Promise<unknown>

const SUBJECTS: { name: string; read: Read }[] = [
  { name: 'photo list', read: (ctx) => listPhotos(ctx, undefined, FIRST_PAGE) },
  { name: 'category tree', read: (ctx) => listCategories(ctx, undefined, '') },
  { name: 'tag cloud', read: (ctx) => tagCloud(ctx, undefined, FIRST_CLOUD) },
  {
    name: 'a row of settings',
    read: (ctx) =>
      cached(ctx, { of: ['settings'], key: ['bench'] }, () =>
        ctx.db.select().from(settings).where(eq(settings.key, 'epoch')),
      ),
  },
]

export async function cache(): Promise<Row[]> {
  const rows: Row[] = []
  for (const kind of kinds()) rows.push(...(await measure(kind)))
  return rows
}

async function measure(kind: Kind): Promise<Row[]> {
  const parts = await freshParts(kind)
  try {
    return await parts.prepare(async (ctx) => {
      await seedPhotos(ctx, PHOTOS)
      // In nothing that is one byte large fits a value, so each answer is computed, or comes from Redis.
      const computing: Context = { ...ctx, cache: createMemoryCache(1) }
      const stores: [string, Context][] = [
        ['memory', { ...ctx, cache: createMemoryCache(MAX_BYTES) }],
        ...(await redisStore(ctx)),
      ]
      const rows: Row[] = []
      for (const [store, from] of stores)
        for (const { name, read } of SUBJECTS) {
          const costs = await compare(
            () => read(from),
            () => read(computing),
          )
          rows.push(row(`cache, ${kind}: ${name} from ${store}; floor: computed`, costs, 1))
        }
      rows.push(row(`cache, ${kind}: a change of a photo; floor: without generation`, await writes(ctx), 1.1))
      for (const [, { cache }] of stores) await cache.close()
      return rows
    })
  } finally {
    await parts.remove()
  }
}

async function redisStore(ctx: Context): Promise<[string, Context][]> {
  const url = process.env.BENCH_REDIS_URL
  if (!url) return []
  return [
    [
      'Redis',
      { ...ctx, cache: await createRedisCache(url, { epoch: ctx.epoch, version: 'bench' }, 1, ctx.log) },
    ],
  ]
}

function writes(ctx: Context) {
  const unraised = { read: () => ctx.services.generations.read(), raise: () => undefined }
  const without: Context = { ...ctx, services: { ...ctx.services, generations: unraised } }
  let n = 0
  const write = (on: Context) =>
    transaction(on, async (tx) => {
      const id = 1 + (n++ % PHOTOS)
      const [photo] = await tx.db
        .update(photos)
        .set({ title: `title ${n}` })
        .where(eq(photos.id, id))
        .returning()
      tx.changed('photos')
      tx.emit(photo!.userId, 'photo.deleted', { photoId: id })
    })
  return compare(
    () => write(ctx),
    () => write(without),
  )
}

/** Milliseconds of each, in turns. */
async function compare(figure: () => Promise<unknown>, floor: () => Promise<unknown>) {
  const costs: number[] = []
  const floors: number[] = []
  // The first round warms everything up.
  for (let round = 0; round <= ROUNDS; round++) {
    const [low, cost] = [await costOf(floor), await costOf(figure)]
    if (round === 0) continue
    floors.push(low)
    costs.push(cost)
  }
  return { costs, floors }
}

function row(name: string, { costs, floors }: { costs: number[]; floors: number[] }, target: number): Row {
  const ratio = ratios(costs, floors)
  return {
    name,
    figure: shown(spread(costs), 'ms'),
    floor: shown(spread(floors), 'ms'),
    ratio: shownWithSpread(ratio),
    target: `<= ${target}`,
    ok: ratio.median <= target,
  }
}

async function costOf(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  let runs = 0
  for (; performance.now() - startedAt < ROUND_MS || runs === 0; runs++) await work()
  return (performance.now() - startedAt) / runs
}
