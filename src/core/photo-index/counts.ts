import type { SQL } from 'drizzle-orm'
import type { Context } from '../context.ts'
import { type CachedAnswer, cached } from '../generations/cached.ts'
import { type Viewer, visibleParts } from './visibility.ts'

/**
 * Numbers over all photos that a viewer may see, such as the photos of each tag, by a key of each.
 * @param what the numbers as a cached answer; the key lacks the viewers
 * @param count counts the rows of `photo_index` that fulfil `where`
 */
export async function visibleCounts<K extends number | string>(
  ctx: Context,
  viewer: Viewer,
  what: CachedAnswer,
  count: (where: SQL | undefined) => Promise<{ key: K; n: number }[]>,
): Promise<ReadonlyMap<K, number>> {
  const parts = await Promise.all(
    visibleParts(viewer).map(({ scope, where }) =>
      cached(ctx, { ...what, key: [...what.key, scope] }, () => count(where)),
    ),
  )
  const sums = new Map<K, number>()
  for (const { key, n } of parts.flat()) sums.set(key, (sums.get(key) ?? 0) + n)
  return sums
}
