/** Reads of many photos, against reading one photo by its key. */
import type postgres from 'postgres'
import type { Context } from '../../src/core/context.ts'
import { freshParts, type Kind, kinds } from './parts.ts'
import { seedPhotos } from './seed-photos.ts'
import { ratios, spread } from './stats.ts'
import { type Row, shown, shownWithSpread } from './table.ts'

export const PHOTOS = Number(process.env.BENCH_PHOTOS ?? 100_000)
const ROUNDS = 5
const ROUND_MS = 600

export interface PhotoRead {
  name: string
  /** Reads of one photo by its key that it may cost at most. */
  target: number
  read: (ctx: Context) => Promise<unknown>
}

/** @param seed adds what the reads need beside the photos */
export async function measurePhotoReads(
  group: string,
  subjects: readonly PhotoRead[],
  seed: (ctx: Context) => Promise<void> = async () => {},
): Promise<Row[]> {
  const rows: Row[] = []
  for (const kind of kinds()) rows.push(...(await measure(kind, group, subjects, seed)))
  return rows
}

async function measure(
  kind: Kind,
  group: string,
  subjects: readonly PhotoRead[],
  seed: (ctx: Context) => Promise<void>,
): Promise<Row[]> {
  const parts = await freshParts(kind)
  try {
    return await parts.prepare(async (ctx) => {
      await seedPhotos(ctx, PHOTOS)
      await seed(ctx)
      // The bare driver, with a prepared statement.
      const driver = (ctx.db as unknown as { $client: postgres.Sql }).$client
      const byKey = (n: number) => driver`select * from photos where id = ${1 + ((n * 9973) % PHOTOS)}`
      const costs = subjects.map((): number[] => [])
      const floors = subjects.map((): number[] => [])
      // The first round warms everything up.
      for (let round = 0; round <= ROUNDS; round++) {
        for (const [which, { read }] of subjects.entries()) {
          const floor = await costOf(byKey)
          const cost = await costOf(() => read(ctx))
          if (round === 0) continue
          floors[which]!.push(floor)
          costs[which]!.push(cost)
        }
      }
      return subjects.map(({ name, target }, which) => {
        const ratio = ratios(costs[which]!, floors[which]!)
        return {
          name: `${group}, ${kind}: ${name}; floor: one photo of ${PHOTOS} by its key`,
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
