/** The first and a deep page of a filtered, sorted list of 100,000 materials, against reading one material by its key. */
import { sql } from 'drizzle-orm'
import type postgres from 'postgres'
import type { Context } from '../src/core/context.ts'
import { listMaterials } from '../src/core/materials/materials.ts'
import type { SortBy } from '../src/core/materials/ranking.ts'
import { freshParts, type Kind, kinds } from './support/parts.ts'
import { seedUsers } from './support/seed.ts'
import { ratios, spread } from './support/stats.ts'
import { type Row, shown, shownWithSpread } from './support/table.ts'

const MATERIALS = 100_000
const UPLOADERS = 50
const ROUNDS = 5
/** Longer than the server keeps an order by counts, so that each round reads it anew. */
const ROUND_MS = 2500
const TARGET = 3

const LISTS = (['viewCount', 'createdAt'] as const).flatMap((sortBy) => [
  { sortBy, page: 1 },
  { sortBy, page: 1000 },
])

export async function materials(): Promise<Row[]> {
  const rows: Row[] = []
  for (const kind of kinds()) rows.push(...(await measure(kind)))
  return rows
}

async function measure(kind: Kind): Promise<Row[]> {
  const parts = await freshParts(kind)
  try {
    return await parts.prepare(async (ctx) => {
      await seed(ctx)
      const list = (sortBy: SortBy, page: number) =>
        listMaterials(ctx, undefined, {
          page,
          pageSize: 20,
          sortBy,
          sortOrder: 'desc',
          type: 'video',
        })
      // The bare driver, with a prepared statement.
      const driver = (ctx.db as unknown as { $client: postgres.Sql }).$client
      const byKey = (id: number) => driver`select * from materials where id = ${id}`

      const costs = LISTS.map((): number[] => [])
      const floorCosts: number[] = []
      // The first round warms everything up.
      for (let round = 0; round <= ROUNDS; round++) {
        const bare = await costOf((n) => byKey(1 + ((n * 9973) % MATERIALS)))
        const ours: number[] = []
        for (const { sortBy, page } of LISTS) ours.push(await costOf(() => list(sortBy, page)))
        if (round === 0) continue
        floorCosts.push(bare)
        for (const [which, cost] of ours.entries()) costs[which]!.push(cost)
      }
      return LISTS.map(({ sortBy, page }, which) => {
        const ratio = ratios(costs[which]!, floorCosts)
        return {
          name: `materials, ${kind}: page ${page} of ${MATERIALS / 2} videos by ${sortBy}; floor: one by its key`,
          figure: shown(spread(costs[which]!), 'ms'),
          floor: shown(spread(floorCosts), 'ms'),
          ratio: shownWithSpread(ratio),
          target: `< ${TARGET}`,
          ok: ratio.median < TARGET,
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
  while (performance.now() - startedAt < ROUND_MS) await read(reads++)
  return (performance.now() - startedAt) / reads
}

/** Half of them are videos. */
async function seed(ctx: Context): Promise<void> {
  const [first] = await seedUsers(ctx, UPLOADERS)
  await ctx.db.execute(sql`
    insert into materials (user_id, title, description, type, status, file_path, file_size, file_format,
      thumbnail_path, thumbnail_status, view_count, like_count)
    select ${first!.id} + n % ${UPLOADERS}, 'Lecture ' || n, 'The slides, the speaker and the chapters of one lecture.',
      case n % 2 when 0 then 'video' else 'pdf' end, 'active', 'materials/1/20240115_083000_' || n || '.mp4', n * 1000,
      case n % 2 when 0 then 'mp4' else 'pdf' end, 'thumbnails/1/' || n || '.jpg', 'completed',
      (n * 7919) % 50021, n % 1009
    from generate_series(1, ${MATERIALS}) n`)
  await ctx.db.execute(sql`analyze`)
}
