import { and, eq, sql } from 'drizzle-orm'
import { violatedConstraint } from '../../db/errors.ts'
import { photoIndex, photoTags, tags } from '../../db/schema/index.ts'
import { isSlug, slugOf, suffixed } from '../../util/slug.ts'
import type { Actor, Principal } from '../accounts/principals.ts'
import { type AuditedBy, audit, fieldsOf } from '../audit/audit.ts'
import type { Context, Tx } from '../context.ts'
import { AppError, invalid, notFound } from '../errors.ts'
import { lockPhotosOf, reindexPhotosOf } from '../photo-index/reindex.ts'
import { visibleTo } from '../photo-index/visibility.ts'
import { transaction } from '../transaction.ts'
import { readTagName } from './names.ts'
import type { Tag, TagGroup } from './rows.ts'

/** The fields of a tag as an editor writes them. Null takes a value away. */
export interface TagInput {
  name: string
  slug?: string | undefined
  description?: string | undefined
  color?: string | null | undefined
  icon?: string | null | undefined
  tagGroup?: TagGroup | undefined
  isActive?: boolean | undefined
  isFeatured?: boolean | undefined
}

const TRIES = 5

/**
 * Creates a tag that everybody sees. A name that only photos have which this user may not see counts as free: their tag
 * gets these fields.
 * @returns its id
 * @throws AppError VALIDATION_FAILED, TAG_TAKEN, TAG_SLUG_TAKEN
 */
export function createTag(ctx: Context, who: Actor, input: TagInput): Promise<number> {
  const values = { ...valuesOf(input), ...readTagName(input.name, 'name') }
  return sayTaken(() =>
    transaction(ctx, async (tx) => {
      const id = await insertTag(tx, who, values)
      tx.changed('tags')
      audit(tx, who, { action: 'tag.created', target: id, details: { name: values.name } })
      return id
    }),
  )
}

async function insertTag(
  tx: Tx,
  who: Principal,
  values: ReturnType<typeof valuesOf> & ReturnType<typeof readTagName>,
): Promise<number> {
  const base = slugOf(values.name)
  for (let tries = 0; tries < TRIES; tries++) {
    const slug = values.slug ?? (tries === 0 && base ? base : suffixed(base || 'tag'))
    const row = { ...values, slug, isListed: true }
    const [made] = await tx.db.insert(tags).values(row).onConflictDoNothing().returning({ id: tags.id })
    if (made) return made.id
    const [other] = await tx.db.select().from(tags).where(eq(tags.nameKey, row.nameKey)).for('update')
    if (other) {
      if (other.isListed || (await isSeen(tx, who, other.id))) throw new AppError('TAG_TAKEN')
      return rewrite(tx, other, values)
    }
    if (values.slug !== undefined) throw new AppError('TAG_SLUG_TAKEN')
  }
  throw new Error('no slug is free for a tag')
}

/**
 * Changes the given fields. Everybody sees the tag from then on, also when it had only been named on photos.
 * @throws AppError NOT_FOUND, VALIDATION_FAILED, TAG_TAKEN, TAG_SLUG_TAKEN
 */
export async function updateTag(
  ctx: Context,
  by: AuditedBy,
  id: number,
  change: Partial<TagInput>,
): Promise<void> {
  const named = change.name === undefined ? {} : readTagName(change.name, 'name')
  const values = { ...valuesOf(change), ...named }
  await sayTaken(() =>
    transaction(ctx, async (tx) => {
      await rewrite(tx, await lockTag(tx, id), values)
      audit(tx, by, { action: 'tag.updated', target: id, details: { fields: fieldsOf(change) } })
    }),
  )
}

/**
 * Deletes a tag, also from its photos.
 * @throws AppError NOT_FOUND
 */
export async function deleteTag(ctx: Context, by: AuditedBy, id: number): Promise<void> {
  await transaction(ctx, async (tx) => {
    const { name } = await lockTag(tx, id)
    await lockPhotosOf(tx, { tagId: id })
    await tx.db.delete(tags).where(eq(tags.id, id))
    await reindexPhotosOf(tx, { tagId: id })
    tx.changed('tags', 'photos')
    audit(tx, by, { action: 'tag.deleted', target: id, details: { name } })
  })
}

function valuesOf({
  name: _,
  slug,
  description,
  color,
  icon,
  tagGroup,
  isActive,
  isFeatured,
}: Partial<TagInput>) {
  if (slug !== undefined && !isSlug(slug)) throw invalid('slug', 'format')
  return { slug, description, color, icon, tagGroup, isActive, isFeatured }
}

async function rewrite(
  tx: Tx,
  tag: Tag,
  values: ReturnType<typeof valuesOf> & { name?: string },
): Promise<number> {
  await tx.db
    .update(tags)
    .set({ ...values, isListed: true, updatedAt: sql`now()` })
    .where(eq(tags.id, tag.id))
  if (values.name !== undefined && values.name !== tag.name) await reindexPhotosOf(tx, { tagId: tag.id })
  tx.changed('tags')
  return tag.id
}

/** Whether the user sees a photo with this tag. */
async function isSeen(tx: Tx, principal: Principal, tagId: number): Promise<boolean> {
  const rows = await tx.db
    .select({ photoId: photoTags.photoId })
    .from(photoTags)
    .innerJoin(photoIndex, eq(photoIndex.photoId, photoTags.photoId))
    .where(and(eq(photoTags.tagId, tagId), visibleTo(principal)))
    .limit(1)
  return rows.length > 0
}

/** No photo gets the tag until the change ends. */
async function lockTag(tx: Tx, id: number): Promise<Tag> {
  const [tag] = await tx.db.select().from(tags).where(eq(tags.id, id)).for('update')
  if (!tag) throw notFound('tag', id)
  return tag
}

/** Two changes may choose the same name or slug at once: then the database refuses the later one. */
async function sayTaken<T>(change: () => Promise<T>): Promise<T> {
  try {
    return await change()
  } catch (error) {
    const constraint = violatedConstraint(error)
    if (constraint === 'tags_name_key_unique') throw new AppError('TAG_TAKEN')
    if (constraint === 'tags_slug_unique') throw new AppError('TAG_SLUG_TAKEN')
    throw error
  }
}
