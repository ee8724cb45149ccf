import { sql } from 'drizzle-orm'
import { isOneOf } from '../../db/arrays.ts'
import { photos } from '../../db/schema/index.ts'
import type { Actor } from '../accounts/principals.ts'
import { audit } from '../audit/audit.ts'
import { assertCategories } from '../categories/assert.ts'
import { addCategories, removeCategories } from '../categories/assign.ts'
import { lockCovered } from '../categories/tree.ts'
import type { Context, Tx } from '../context.ts'
import type { AppError } from '../errors.ts'
import { enqueueExposure } from '../photo-files/exposure.ts'
import { emitPhotoEvents } from '../photo-index/watchers.ts'
import { indexPhotos } from '../photo-index/write.ts'
import { resolveTags } from '../tags/resolve.ts'
import { transaction } from '../transaction.ts'
import { lockPhotos, refusal } from './access.ts'
import { removePhotos } from './delete.ts'
import { photoEvent } from './events.ts'
import type { Photo, PhotoStatus } from './rows.ts'
import { addTags, removeTags, tagsNamed } from './tags.ts'

/** One change of many photos. */
export type BatchChange =
  | { action: 'updateStatus'; status: PhotoStatus }
  | { action: 'addTags' | 'removeTags'; tags: string[] }
  /** `primary`: one of the categories, which becomes the primary one of the photos. */
  | { action: 'addCategories'; categories: number[]; primary?: number | undefined }
  | { action: 'removeCategories'; categories: number[] }
  | { action: 'delete' }

export interface BatchResult {
  /** In the order of the input. Those that were so already are among them. */
  succeeded: number[]
  failed: { id: number; error: AppError }[]
}

/**
 * Makes one change to many photos, in a number of statements that does not depend on how many photos there are. A photo that
 * the caller may not change fails alone.
 * @throws AppError UNKNOWN_CATEGORY, VALIDATION_FAILED, before any photo is changed
 */
export async function changePhotos(
  ctx: Context,
  who: Actor,
  photoIds: readonly number[],
  change: BatchChange,
): Promise<BatchResult> {
  const ids = [...new Set(photoIds)]
  return transaction(ctx, async (tx) => {
    // Categories and tags are locked before photos, as in every change.
    const apply = await prepareChange(tx, ids, change)
    const found = await lockPhotos(tx, ids)
    const failed = ids.flatMap((id) => {
      const error = refusal(who, id, found.get(id))
      return error ? [{ id, error }] : []
    })
    const refused = new Set(failed.map(({ id }) => id))
    const own = ids.filter((id) => !refused.has(id)).map((id) => found.get(id)!)
    await apply(own)
    auditBatch(tx, who, own, change)
    return { succeeded: own.map(({ id }) => id), failed }
  })
}

/** One entry for each owner, so that an owner's entries show it. */
function auditBatch(tx: Tx, who: Actor, changed: Photo[], { action, ...values }: BatchChange): void {
  for (const [owner, photos] of Map.groupBy(changed, ({ userId }) => userId)) {
    const details = { change: action, photos: idsOf(photos), values: Object.values(values).flat() }
    audit(tx, who, { action: 'photo.batch_changed', subject: owner, details })
  }
}

type Apply = (own: Photo[]) => Promise<void>

async function prepareChange(tx: Tx, ids: number[], change: BatchChange): Promise<Apply> {
  switch (change.action) {
    case 'delete':
      await lockCovered(tx, ids)
      return (own) => removePhotos(tx, own)
    case 'updateStatus':
      return (own) => setStatus(tx, own, change.status)
    case 'addTags': {
      const tagIds = await resolveTags(tx, change.tags, 'data.tags')
      return async (own) => touch(tx, await addTags(tx, idsOf(own), tagIds))
    }
    case 'removeTags': {
      const tagIds = await tagsNamed(tx, change.tags)
      return async (own) => touch(tx, await removeTags(tx, idsOf(own), tagIds))
    }
    case 'addCategories': {
      const categoryIds = [...new Set(change.categories)]
      await assertCategories(tx, categoryIds)
      return async (own) => touch(tx, await addCategories(tx, idsOf(own), categoryIds, change.primary))
    }
    case 'removeCategories':
      return async (own) => touch(tx, await removeCategories(tx, idsOf(own), change.categories))
  }
}

const idsOf = (own: Photo[]): number[] => own.map(({ id }) => id)

async function setStatus(tx: Tx, own: Photo[], status: PhotoStatus): Promise<void> {
  const changed = own.filter((photo) => photo.status !== status)
  await touch(tx, idsOf(changed), status)
  await enqueueExposure(
    tx,
    changed.map(({ fileId }) => fileId),
  )
}

/** Completes a change of these photos: their versions, their index rows and the events. */
async function touch(tx: Tx, ids: number[], status?: PhotoStatus): Promise<void> {
  if (ids.length === 0) return
  const rows = await tx.db
    .update(photos)
    .set({
      ...(status && { status }),
      ...(status === 'published' && {
        wasPublic: sql`${photos.wasPublic} or ${photos.visibility} = 'public'`,
      }),
      version: sql`${photos.version} + 1`,
      updatedAt: sql`now()`,
    })
    .where(isOneOf(photos.id, ids))
    .returning()
  await indexPhotos(tx, ids)
  await emitPhotoEvents(
    tx,
    rows.map((photo) => ({
      ownerId: photo.userId,
      type: 'photo.updated',
      data: photoEvent(photo),
    })),
  )
}
