import { sql } from 'drizzle-orm'
import { intArray, isOneOf } from '../../db/arrays.ts'
import { photoTags, tags } from '../../db/schema/index.ts'
import type { Tx } from '../context.ts'
import { readTagName } from '../tags/names.ts'

/**
 * Adds tags to photos, which the caller has locked, behind the tags that they have.
 * @param tagIds of `resolveTags`
 * @returns the photos that have changed
 */
export async function addTags(
  tx: Tx,
  photoIds: readonly number[],
  tagIds: readonly number[],
): Promise<number[]> {
  if (photoIds.length === 0 || tagIds.length === 0) return []
  const rows = await tx.db.execute<{ id: number }>(sql`
    insert into photo_tags (photo_id, tag_id, position)
    select p.id, t.id, t.n + (select coalesce(max(position), 0) from photo_tags where photo_id = p.id)
    from unnest(${intArray(photoIds)}) as p(id), unnest(${intArray(tagIds)}) with ordinality as t(id, n)
    on conflict do nothing returning photo_id as id`)
  return distinct(rows)
}

/** The tags with these names. A name that no tag has is left out. @throws AppError VALIDATION_FAILED */
export async function tagsNamed(tx: Tx, names: readonly string[]): Promise<number[]> {
  const keys = JSON.stringify(names.map((name, i) => readTagName(name, `data.tags.${i}`).nameKey))
  const rows = await tx.db
    .select({ id: tags.id })
    .from(tags)
    .where(sql`${tags.nameKey} in (select json_array_elements_text(${keys}::text::json))`)
  return rows.map(({ id }) => id)
}

/** @returns the photos that have changed */
export async function removeTags(
  tx: Tx,
  photoIds: readonly number[],
  tagIds: readonly number[],
): Promise<number[]> {
  if (photoIds.length === 0 || tagIds.length === 0) return []
  const rows = await tx.db
    .delete(photoTags)
    .where(sql`${isOneOf(photoTags.photoId, photoIds)} and ${isOneOf(photoTags.tagId, tagIds)}`)
    .returning({ id: photoTags.photoId })
  return distinct(rows)
}

/** Gives a photo exactly these tags, in this order. One that it has already keeps its source and its confidence. */
export async function setTags(tx: Tx, photoId: number, tagIds: readonly number[]): Promise<void> {
  await tx.db
    .delete(photoTags)
    .where(sql`${photoTags.photoId} = ${photoId} and not ${isOneOf(photoTags.tagId, tagIds)}`)
  await tx.db.execute(sql`
    insert into photo_tags (photo_id, tag_id, position)
    select ${photoId}::int, t.id, t.n from unnest(${intArray(tagIds)}) with ordinality as t(id, n)
    on conflict (photo_id, tag_id) do update set position = excluded.position`)
}

const distinct = (rows: { id: number }[]): number[] => [...new Set(rows.map(({ id }) => id))]
