/** The steps of an upload of a material. Its record exists from the first bytes on, and each step emits an event. */
import { randomBytes } from 'node:crypto'
import { and, eq, getTableColumns, isNull, type SQL, sql } from 'drizzle-orm'
import { prepared, preparedSql } from '../../db/prepared.ts'
import { rowReader } from '../../db/row-reader.ts'
import { materials } from '../../db/schema/index.ts'
import { type EventColumns, eventColumns, eventOf, newId, withEvent } from '../channel/log.ts'
import type { Context, Tx } from '../context.ts'
import { AppError } from '../errors.ts'
import { tooManyUploads } from '../files/incoming.ts'
import { LOST_SECONDS } from '../files/progress.ts'
import { singleStatement, transaction } from '../transaction.ts'
import { announce } from './announce.ts'
import type { MaterialFormat } from './formats.ts'
import { materialKey } from './keys.ts'
import type { Material } from './rows.ts'
import { enqueueThumbnail, pendingThumbnails } from './thumbnails.ts'
import { type UploadState, uploadEvent, uploadTopic } from './uploads.ts'

/** One of 2^40 marks, which set apart the files that one user uploads with one name in one second. */
const newMark = () => randomBytes(5).toString('hex')

/**
 * Makes the record of an upload whose first bytes have shown its format.
 * @throws AppError TOO_MANY_UPLOADS when all servers together receive too many files of this user
 */
export async function beginUpload(
  ctx: Context,
  userId: number,
  file: { format: MaterialFormat; name: string; title: string },
  at = new Date(),
): Promise<Material> {
  const { extension: fileFormat, type } = file.format
  const begun = { of: { materialId: newId }, title: file.title, type, fileFormat }
  const values = {
    userId,
    limit: ctx.config.uploadsPerUser,
    title: file.title,
    type,
    fileFormat,
    event: JSON.stringify(ctx.presentEvent('upload.started', begun)),
  }
  const begin = (mark?: string) =>
    singleStatement(ctx, async (db) => {
      const filePath = materialKey(userId, at, file.name, fileFormat, mark)
      const [row] = await insertUpload(db).execute({ ...values, filePath })
      if (row!.receiving >= values.limit) throw tooManyUploads(values.limit)
      const event = eventOf(row!, { userId, type: 'upload.started' })
      return { result: event && readMaterial(row!), event }
    })
  return ctx.services.uploads.inTurn(userId, async () => {
    // No row means that the key exists: the same user began a file with the same name in the same second.
    const material = (await begin()) ?? (await begin(newMark()))
    if (!material) throw new AppError('UPLOAD_FAILED')
    return material
  })
}

const value = sql.placeholder

/** Nothing is begun when the user has no room for the file, or its key exists. */
interface BegunRow extends EventColumns, Record<string, unknown> {
  /** Files of this user that all servers received before. */
  receiving: number
}

/** A lock per user makes the counts wait for each other, so that two uploads cannot both take the last place. */
const insertUpload = preparedSql<BegunRow>(
  'insert_upload',
  sql`
    with turn as materialized (
      select pg_advisory_xact_lock(hashtext('roost:uploads'), ${value('userId')}::int)
    ), room as materialized (
      select count_uploads(${value('userId')}, ${sql.raw(String(LOST_SECONDS))}) as receiving from turn
    ), material as (
      insert into materials (user_id, title, type, file_format, file_path, status)
      select ${value('userId')}::int, ${value('title')}, ${value('type')}, ${value('fileFormat')}, ${value('filePath')},
        'processing'
      from room where receiving < ${value('limit')}
      on conflict (file_path) do nothing
      returning *
    ), ${withEvent('material', sql`'upload.started'`, value('event'))}
    select room.receiving, material.*, ${eventColumns}
    from room left join material on true left join event on true`,
)
const readMaterial = rowReader(materials)

/**
 * Makes a stored upload an active material. The job for its thumbnail is in the same commit.
 * @throws AppError ALREADY_DELETED when a user deleted it meanwhile, UPLOAD_FAILED when cleanup did
 */
export async function finishUpload(
  tx: Tx,
  material: Material,
  file: { size: number; title: string; description: string },
): Promise<Material> {
  const [row] = await activateMaterial(tx.db).execute({ id: material.id, ...file })
  if (!row) {
    const [left] = await tx.db
      .select({ status: materials.status })
      .from(materials)
      .where(eq(materials.id, material.id))
    throw new AppError(left?.status === 'hidden' ? 'ALREADY_DELETED' : 'UPLOAD_FAILED')
  }
  const { before, ...active } = row
  tx.emit(material.userId, 'upload.completed', { ...uploadEvent(active), fileSize: file.size })
  await enqueueThumbnail(tx, active, before)
  announce(tx, active, true)
  tx.afterCommit(() => tx.bus.setState(uploadTopic(material.id), undefined))
  return active
}

/** Returns the material, and how many thumbnails of the same user are pending before its own. */
const activateMaterial = prepared((db) =>
  db
    .update(materials)
    .set({
      status: 'active',
      title: sql`${value('title')}`,
      description: sql`${value('description')}`,
      fileSize: sql`${value('size')}`,
      updatedAt: sql`now()`,
    })
    .where(
      and(eq(materials.id, value('id')), eq(materials.status, 'processing'), isNull(materials.removedAt)),
    )
    .returning({ ...getTableColumns(materials), before: pendingThumbnails })
    .prepare('activate_material'),
)

/**
 * Deletes object and record of a failed upload and emits `upload.failed`. Call it only from the writer of the object,
 * after the write has settled. It never throws: cleanup deletes what is left after a failure here.
 */
export async function abandonUpload(ctx: Context, material: Material, reason: string): Promise<void> {
  try {
    if (await giveUpUpload(ctx, material, reason)) return
    const [left] = await ctx.db
      .select({ removedAt: materials.removedAt })
      .from(materials)
      .where(eq(materials.id, material.id))
    // The material is active: the commit succeeded, and only its answer was lost.
    if (left?.removedAt === null) return
    // A user removed the material during the write, when there was no object to delete yet.
    await ctx.storage.delete([material.filePath])
  } catch (error) {
    ctx.log.warn({ err: error, material: material.id }, 'a failed upload is left to cleanup')
  }
}

/**
 * Deletes an upload that is still arriving and matches `only`. After the first statement the upload cannot become a
 * material, so that its object can be deleted. The record is deleted last, because it reserves the key. Cleanup deletes
 * what a crash leaves.
 * @param lockMs how long a sweep waits for locks. After that time this throws, and the next sweep tries again
 * @returns whether it deleted the upload
 */
export async function giveUpUpload(
  ctx: Context,
  { id, filePath, userId }: Material,
  reason: string,
  { only, lockMs }: { only?: SQL; lockMs?: number } = {},
): Promise<boolean> {
  const processing = and(eq(materials.id, id), eq(materials.status, 'processing'))
  const giveUp = (tx: Tx) =>
    tx.db
      .update(materials)
      .set({ removedAt: sql`now()`, updatedAt: sql`now()` })
      .where(and(processing, only))
      .returning({ id: materials.id })
  const [givenUp] = await transaction(ctx, giveUp, { lockMs })
  if (!givenUp) return false
  await ctx.storage.delete([filePath])
  const remove = async (tx: Tx) => {
    const [gone] = await tx.db.delete(materials).where(processing).returning()
    if (gone) tx.emit(userId, 'upload.failed', { ...uploadEvent(gone), reason })
    tx.afterCommit(() => {
      const last = ctx.bus.getState(uploadTopic(id)) ?? { bytes: 0, total: null, percent: 0 }
      ctx.bus.setState(uploadTopic(id), { ...last, status: 'failed' } as UploadState)
      ctx.bus.setState(uploadTopic(id), undefined)
    })
  }
  await transaction(ctx, remove, { lockMs })
  return true
}
