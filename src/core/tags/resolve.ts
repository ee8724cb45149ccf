import { inArray } from 'drizzle-orm'
import { tags } from '../../db/schema/index.ts'
import { slugOf, suffixed } from '../../util/slug.ts'
import type { Tx } from '../context.ts'
import { invalid } from '../errors.ts'
import { readTagName } from './names.ts'

/** Of one photo. */
export const MAX_TAGS = 50

/**
 * The tags with these names. A name that no tag has becomes a tag, which stays unlisted until somebody edits it. Until the
 * change ends, the tags cannot be deleted. Call it before the photos are locked.
 * @param field of the input, for errors
 * @returns their ids in the order of the names, each once
 * @throws AppError VALIDATION_FAILED
 */
export async function resolveTags(tx: Tx, names: readonly string[], field = 'tags'): Promise<number[]> {
  if (names.length > MAX_TAGS) throw invalid(field, 'max_items', { limit: MAX_TAGS })
  const named = new Map(
    names.map((text, i) => readTagName(text, `${field}.${i}`)).map((name) => [name.nameKey, name]),
  )
  if (named.size === 0) return []
  const ids = await lockTags(tx, [...named.keys()])
  // Two requests that create the same tags, or tags with the same slug, insert them in the same order, so that neither waits for
  // the other for ever.
  const wanted = [...named.values()].map((name) => ({ name, slug: slugOf(name.name) }))
  wanted.sort((a, b) => (a.slug + a.name.nameKey < b.slug + b.name.nameKey ? -1 : 1))
  // The base slug may belong to another tag; a random one hardly does.
  for (let tries = 0; ids.size < named.size; tries++) {
    const missing = wanted.filter(({ name }) => !ids.has(name.nameKey))
    const made = missing.map(({ name, slug }) => ({
      ...name,
      slug: tries === 0 && slug ? slug : suffixed(slug || 'tag'),
    }))
    await tx.db.insert(tags).values(made).onConflictDoNothing()
    tx.changed('tags')
    const found = await lockTags(
      tx,
      made.map(({ nameKey }) => nameKey),
    )
    for (const [key, id] of found) ids.set(key, id)
    if (tries === 5) throw new Error('no slug is free for a tag')
  }
  return [...named.keys()].map((key) => ids.get(key)!)
}

/** By name key. A tag that another request is deleting is waited for, and is not found afterwards. */
async function lockTags(tx: Tx, keys: string[]): Promise<Map<string, number>> {
  const rows = await tx.db
    .select({ id: tags.id, nameKey: tags.nameKey })
    .from(tags)
    .where(inArray(tags.nameKey, keys))
    .orderBy(tags.id)
    .for('key share')
  return new Map(rows.map(({ id, nameKey }) => [nameKey, id]))
}
