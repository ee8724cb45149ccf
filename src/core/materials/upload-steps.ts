/** The steps of an upload of a material. Its record exists from the first bytes on, and each step emits an event. */
import { randomBytes } from 'node:crypto'
import { and, count, eq, isNull, type SQL, sql } from 'drizzle-orm'
import { materials } from '../../db/schema/index.ts'
import type { Context, Tx } from '../context.ts'
import { AppError } from '../errors.ts'
import { tooManyUploads } from '../files/incoming.ts'
import { LOST_SECONDS } from '../files/progress.ts'
import { transaction } from '../transaction.ts'
import { announce } from './announce.ts'
import type { MaterialFormat } from './formats.ts'
import { materialKey } from './keys.ts'
import type { Material } from './rows.ts'
import { enqueueThumbnail } from './thumbnails.ts'
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
  const { extension, type } = file.format
  const begin = async (tx: Tx): Promise<Material> => {
    await assertRoom(tx, userId)
    const insert = (mark?: string) =>
      tx.db
        .insert(materials)
        .values({
          userId,
          title: file.title,
          type,
          fileFormat: extension,
          filePath: materialKey(userId, at, file.name, extension, mark),
          status: 'processing',
        })
        .onConflictDoNothing({ target: materials.filePath })
        .returning()
    const [material] = await insert()
    // No row means that the key exists: the same user began a file with the same name in the same second.
    const [begun] = material ? [material] : await insert(newMark())
    if (!begun) throw new AppError('UPLOAD_FAILED')
    tx.emit(userId, 'upload.started', uploadEvent(begun))
    return begun
  }
  return ctx.services.uploads.inTurn(userId, () => transaction(ctx, begin))
}

/** A lock per user makes the counts wait for each other, so that two uploads cannot both take the last place. */
async function assertRoom(tx: Tx, userId: number): Promise<void> {
  const limit = tx.config.uploadsPerUser
  await tx.db.execute(sql`select pg_advisory_xact_lock(hashtext('roost:uploads'), ${userId}::int)`)
  const [row] = await tx.db
    .select({ n: count() })
    .from(materials)
    .where(
      and(
        eq(materials.userId, userId),
        eq(materials.status, 'processing'),
        isNull(materials.removedAt),
        sql`${materials.updatedAt} > now() - make_interval(secs => ${LOST_SECONDS})`,
      ),
    )
  if (row!.n >= limit) throw tooManyUploads(limit)
}

/**
 * Makes a stored upload an active material. The job for its thumbnail is in the same commit.
 * @throws AppError ALREADY_DELETED when a user deleted it meanwhile, UPLOAD_FAILED when cleanup did
 */
export async function finishUpload(
  ctx: Context,
  material: Material,
  file: { size: number; title: string; description: string },
): Promise<Material> {
  const finish = async (tx: Tx): Promise<Material> => {
    const [active] = await tx.db
      .update(materials)
      .set({
        status: 'active',
        title: file.title,
        description: file.description,
        fileSize: file.size,
        updatedAt: sql`now()`,
      })
      .where(
        and(eq(materials.id, material.id), eq(materials.status, 'processing'), isNull(materials.removedAt)),
      )
      .returning()
    if (!active) {
      const [left] = await tx.db
        .select({ status: materials.status })
        .from(materials)
        .where(eq(materials.id, material.id))
      throw new AppError(left?.status === 'hidden' ? 'ALREADY_DELETED' : 'UPLOAD_FAILED')
    }
    tx.emit(material.userId, 'upload.completed', { ...uploadEvent(active), fileSize: file.size })
    await enqueueThumbnail(tx, active)
    announce(tx, active, true)
    tx.afterCommit(() => ctx.bus.setState(uploadTopic(material.id), undefined))
    return active
  }
  return ctx.services.uploads.inTurn(material.userId, () => transaction(ctx, finish))
}

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
