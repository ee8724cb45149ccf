/** The first page of a search with facets, and pages of lists, of 100,000 photos, against reading one photo by its key. */
import type postgres from 'postgres'
import type { Context } from '../src/core/context.ts'
import { listPhotos, type PhotoQuery } from '../src/core/photos/list.ts'
import { searchPhotos } from '../src/core/photos/search.ts'
import { freshParts, type Kind, kinds } from './support/parts.ts'
import { seedPhotos } from './support/seed-photos.ts'
import { ratios, spread } from './support/stats.ts'
import { type Row, shown, shownWithSpread } from './support/table.ts'

const PHOTOS = Number(process.env.BENCH_PHOTOS ?? 100_000)
const ROUNDS = 5
const ROUND_MS = 600

interface Subject {
  name: string
  target: number
  read: (ctx: Context) => Promise<unknown>
}

const search = (query: string, share: string, target: number): Subject => ({
  name: `first page with facets of ${query} (${share})`,
  target,
  read: async (ctx) => {
    // As after a change of a photo, so that nothing is kept.
    await ctx.cache.clear(['photos'])
    return searchPhotos(ctx, undefined, { query, tags: [], page: 1, limit: 20 })
  },
})

/** As every page of a search while no photo changes. */
const keptSearch = (query: string, share: string, target: number): Subject => ({
  name: `the same again of ${query} (${share})`,
  target,
  read: (ctx) => searchPhotos(ctx, undefined, { query, tags: [], page: 1, limit: 20 }),
})

const list = (name: string, query: Partial<PhotoQuery>): Subject => ({
  name,
  target: 5,
  read: (ctx) =>
    listPhotos(ctx, undefined, { page: 1, limit: 20, sortBy: 'createdAt', sortOrder: 'desc', ...query }),
})

const SUBJECTS: Subject[] = [
  search('夜景', '1 %', 10),
  keptSearch('夜景', '1 %', 10),
  search('yejing', '1 %', 10),
  search('水乡', '8 %', 150),
  search('江南水乡', '8 %', 150),
  search('brid', '8 %', 150),
  list('first page of all', {}),
  list('first page of a category', { category: 3 }),
  list('first page of a tag', { tag: '标签7' }),
  list('page 1000 by title', { page: 1000, sortBy: 'title' }),
]

export async function photoSearch(): Promise<Row[]> {
  const rows: Row[] = []
  for (const kind of kinds()) rows.push(...(await measure(kind)))
  return rows
}

async function measure(kind: Kind): Promise<Row[]> {
  const parts = await freshParts(kind)
  try {
    return await parts.prepare(async (ctx) => {
      await seedPhotos(ctx, PHOTOS)
      // The bare driver, with a prepared statement.
      const driver = (ctx.db as unknown as { $client: postgres.Sql }).$client
      const byKey = (n: number) => driver`select * from photos where id = ${1 + ((n * 9973) % PHOTOS)}`
      const costs = SUBJECTS.map((): number[] => [])
      const floors = SUBJECTS.map((): number[] => [])
      // The first round warms everything up.
      for (let round = 0; round <= ROUNDS; round++) {
        for (const [which, { read }] of SUBJECTS.entries()) {
          const floor = await costOf(byKey)
          const cost = await costOf(() => read(ctx))
          if (round === 0) continue
          floors[which]!.push(floor)
          costs[which]!.push(cost)
        }
      }
      return SUBJECTS.map(({ name, target }, which) => {
        const ratio = ratios(costs[which]!, floors[which]!)
        return {
          name: `photos, ${kind}: ${name} of ${PHOTOS}; floor: one by its key`,
          figure: shown(spread(costs[which]!), 'ms'),
          floor: shown(spread(floors[which]!), 'ms'),
          ratio: shownWithSpread(ratio),
          target: `<= ${target}`,
          ok: ratio.median <= target,
        }
      })
    })
  } finally {
    await parts.remove()
  }
}

/** Milliseconds of one read, one after the other. */
async function costOf(read: (n: number) => PromiseLike<unknown>): Promise<number> {
  const startedAt = performance.now()
  let reads = 0
  while (performance.now() - startedAt < ROUND_MS / 2 || reads === 0) await read(reads++)
  return (performance.now() - startedAt) / reads
}
