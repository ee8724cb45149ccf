/** A material on its way in: it exists from its first bytes, and everything that happens to it is an event. */

import { randomBytes } from 'node:crypto'
import { and, count, desc, eq, inArray, isNull, type SQL, sql } from 'drizzle-orm'
import { materials } from '../../db/schema/index.ts'
import type { Principal } from '../accounts/principals.ts'
import type { Context, Tx } from '../context.ts'
import { AppError, notFound } from '../errors.ts'
import { transaction } from '../transaction.ts'
import type { UploadEvent } from './events.ts'
import type { FileFormat } from './formats.ts'
import { tooManyUploads } from './incoming.ts'
import { putAwayHandle } from './job-handles.ts'
import { materialKey } from './keys.ts'
import { announce, lockOwn, type Material, mayManage } from './materials.ts'
import { putAway } from './objects.ts'
import { enqueueThumbnail } from './thumbnails.ts'

/** Present state of an upload on the bus, under `upload:<material id>`. */
export interface UploadState {
  /** Failed: nothing is left of it. */
  status: Material['status'] | 'failed'
  /** Bytes of the file that have come in. */
  bytes: number
  /** Bytes of the whole request, when the client said so. */
  total: number | null
  percent: number
}
export const uploadTopic = (materialId: number): string => `upload:${materialId}`

const uploadEvent = (material: Material): UploadEvent => ({
  materialId: material.id,
  title: material.title,
  type: material.type,
  fileFormat: material.fileFormat,
})

/** An upload under way is touched every 20 s; one that was not for so long has lost its server. */
const LOST_SECONDS = 120
/** Sets apart what one user uploads under one name in one second: 2^40 of them. */
const newMark = () => randomBytes(5).toString('hex')

/**
 * The first bytes are here and say what the file is.
 * @throws AppError TOO_MANY_UPLOADS when the user has too many under way, on whichever server
 */
export async function beginUpload(
  ctx: Context,
  userId: number,
  file: { format: FileFormat; name: string; title: string },
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
    // Taken: the same user began the same file in the same second.
    const [begun] = material ? [material] : await insert(newMark())
    if (!begun) throw new AppError('UPLOAD_FAILED')
    tx.emit(userId, 'upload.started', uploadEvent(begun))
    return begun
  }
  return ctx.services.uploads.inTurn(userId, () => transaction(ctx, begin))
}

/** One after the other for each user, so that no two of them take the last place. */
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

const REPORT_MS = 200
const TOUCH_MS = 20_000

/** Reports how far an upload is: to watchers several times a second, to the clean-up now and then. */
export function uploadReporter(
  ctx: Context,
  material: Material,
  total: number | null,
): { report: (bytes: number) => void; stop: () => void } {
  let latest = 0
  let reported = Number.NEGATIVE_INFINITY
  let touched = performance.now()
  let stopped = false
  let due: ReturnType<typeof setTimeout> | undefined
  const publish = () => {
    due = undefined
    const now = performance.now()
    reported = now
    const percent = total ? Math.min(99, Math.floor((latest / total) * 100)) : 0
    const state: UploadState = { status: 'processing', bytes: latest, total, percent }
    ctx.bus.setState(uploadTopic(material.id), state)
    if (now - touched < TOUCH_MS) return
    touched = now
    // A slow upload is not a stale one. Should this fail, the end of the upload will say why.
    ctx.db
      .update(materials)
      .set({ updatedAt: sql`now()` })
      .where(eq(materials.id, material.id))
      .then(undefined, () => {})
  }
  return {
    report(bytes) {
      latest = bytes
      if (stopped || due) return
      const wait = reported + REPORT_MS - performance.now()
      if (wait <= 0) publish()
      // The last bytes before a pause are reported too.
      else due = setTimeout(publish, wait)
    },
    stop() {
      stopped = true
      clearTimeout(due)
    },
  }
}

/**
 * The file is stored: the material is active, and its thumbnail is in the queue with the same commit.
 * @throws AppError meanwhile it was deleted (ALREADY_DELETED) or cleaned up (UPLOAD_FAILED)
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

/** How uploads stand, by material; those of which nothing is left are absent. One query. */
export async function currentUploads(ctx: Context, ids: number[]): Promise<Map<number, UploadState>> {
  const rows = await ctx.db
    .select({ id: materials.id, status: materials.status, fileSize: materials.fileSize })
    .from(materials)
    .where(inArray(materials.id, ids))
  return new Map(
    rows.map(({ id, status, fileSize }) => {
      const known = ctx.bus.getState(uploadTopic(id)) as UploadState | undefined
      if (status === 'processing' && known) return [id, known]
      const done = status !== 'processing'
      return [id, { status, bytes: fileSize, total: done ? fileSize : null, percent: done ? 100 : 0 }]
    }),
  )
}

/**
 * Nothing of it is left: no object, no material; the uploader is told. Only whoever wrote its object calls this, after
 * that ended, however it ended. What fails here is left to the clean-up.
 */
export async function abandonUpload(ctx: Context, material: Material, reason: string): Promise<void> {
  try {
    if (await giveUpUpload(ctx, material, reason)) return
    const [left] = await ctx.db
      .select({ removedAt: materials.removedAt })
      .from(materials)
      .where(eq(materials.id, material.id))
    // It is a material: the answer to its commit was lost, not the commit.
    if (left?.removedAt === null) return
    // Removed while it was written: whoever did that came before the object.
    await ctx.storage.delete([material.filePath])
  } catch (error) {
    ctx.log.warn({ err: error, material: material.id }, 'a failed upload is left to the clean-up')
  }
}

/**
 * Removes an upload if it is still coming in, and fits `only`. From the first step on it can't end well, so its object may
 * go; the record goes last, because it reserves the path. What a crash leaves of it is found by the clean-up.
 * @param lockMs for sweeps, which must not queue behind what others hold; then it throws, and the next sweep goes on
 * @returns whether it was
 */
export async function giveUpUpload(
  ctx: Context,
  { id, filePath, userId }: Material,
  reason: string,
  { only, lockMs }: { only?: SQL; lockMs?: number } = {},
): Promise<boolean> {
  const processing = and(eq(materials.id, id), eq(materials.status, 'processing'))
  const [givenUp] = await ctx.db
    .update(materials)
    .set({ removedAt: sql`now()`, updatedAt: sql`now()` })
    .where(and(processing, only))
    .returning({ id: materials.id })
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

/** What a user has uploaded and not deleted, newest first. */
export async function listUploads(
  ctx: Context,
  userId: number,
  limit: number,
): Promise<{ materials: Material[]; total: number }> {
  const own = and(eq(materials.userId, userId), isNull(materials.hiddenAt), isNull(materials.removedAt))
  const [[total], rows] = await Promise.all([
    ctx.db.select({ n: count() }).from(materials).where(own),
    ctx.db.select().from(materials).where(own).orderBy(desc(materials.id)).limit(limit),
  ])
  return { materials: rows, total: total!.n }
}

/** @throws AppError NOT_FOUND, also for somebody else's */
export async function ownMaterial(ctx: Context, who: Principal, id: number): Promise<Material> {
  const [material] = await ctx.db.select().from(materials).where(eq(materials.id, id))
  if (!material || !mayManage(who, material)) throw notFound('material', id)
  return material
}

/**
 * Hides a material and removes its objects at once, also after it was hidden.
 * @throws AppError NOT_FOUND, PERMISSION_DENIED, ALREADY_DELETED
 */
export async function removeUpload(ctx: Context, who: Principal, id: number): Promise<void> {
  await transaction(ctx, async (tx) => {
    const material = await lockOwn(tx, who, id)
    if (material.removedAt) throw new AppError('ALREADY_DELETED')
    await tx.db
      .update(materials)
      .set({ status: 'hidden', removedAt: sql`now()`, updatedAt: sql`now()` })
      .where(eq(materials.id, id))
    tx.emit(material.userId, 'material.removed', { materialId: id })
    await ctx.queue.enqueue(tx, putAwayHandle, { materialId: id })
    announce(tx, material, false)
    tx.afterCommit(() => ctx.bus.setState(uploadTopic(id), undefined))
  })
  await putAway(ctx, id).catch((error) => {
    ctx.log.warn({ err: error, material: id }, 'objects of a removed material are left to the queue')
  })
}
