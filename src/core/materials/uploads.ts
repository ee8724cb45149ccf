/** Uploads as their users see them. `upload-steps.ts` has what happens to one while it arrives. */
import { and, count, desc, eq, inArray, isNull, sql } from 'drizzle-orm'
import { materials } from '../../db/schema/index.ts'
import type { Actor, Principal } from '../accounts/principals.ts'
import { auditForeign } from '../audit/audit.ts'
import type { Context, Tx } from '../context.ts'
import { AppError, notFound } from '../errors.ts'
import type { UploadEvent } from '../files/events.ts'
import { uploadEndedHint } from '../files/hints.ts'
import { transaction } from '../transaction.ts'
import { lockOwn, mayManage } from './access.ts'
import { announce } from './announce.ts'
import { putAwayHandle } from './job-handles.ts'
import { putAway } from './objects.ts'
import { hasId, type Material } from './rows.ts'

/** The state of an upload on the bus, under `upload:<material id>`. */
export interface UploadState {
  /** `failed`: record and object are deleted. */
  status: Material['status'] | 'failed'
  /** Bytes of the file that have arrived. */
  bytes: number
  /** Bytes of the whole request; null when the client did not say. */
  total: number | null
  percent: number
}
export const uploadTopic = (materialId: number): string => `upload:${materialId}`

/** The name of the upload in `IncomingUploads`. */
export const uploadName = (materialId: number): string => `material:${materialId}`

export const uploadEvent = (material: Material): UploadEvent => ({
  of: { materialId: material.id },
  title: material.title,
  type: material.type,
  fileFormat: material.fileFormat,
})

/** The current states of uploads, by material, in one query. Deleted uploads are absent. */
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

/** The materials that a user has uploaded and not deleted, newest first. */
export async function listUploads(
  ctx: Context,
  userId: number,
  limit: number,
): Promise<{ materials: Material[]; total: number }> {
  const ofUser = and(eq(materials.userId, userId), isNull(materials.hiddenAt), isNull(materials.removedAt))
  const [[total], rows] = await Promise.all([
    ctx.db.select({ n: count() }).from(materials).where(ofUser),
    ctx.db.select().from(materials).where(ofUser).orderBy(desc(materials.id)).limit(limit),
  ])
  return { materials: rows, total: total!.n }
}

/** @throws AppError NOT_FOUND, also for the material of another user */
export async function ownMaterial(ctx: Context, who: Principal, id: number): Promise<Material> {
  const [material] = await ctx.db.select().from(materials).where(hasId(id))
  if (!material || !mayManage(who, material)) throw notFound('material', id)
  return material
}

/** For a material that is removed: a server that still receives it stops after the commit. */
export function endUpload(tx: Tx, { id, status }: Pick<Material, 'id' | 'status'>): void {
  tx.afterCommit(() => {
    // First the hint: the server that receives the upload must not set the state again.
    if (status === 'processing') {
      tx.bus.publish(uploadEndedHint, { upload: uploadName(id), code: 'ALREADY_DELETED' })
    }
    tx.bus.setState(uploadTopic(id), undefined)
  })
}

/**
 * Hides a material and deletes its objects at once. The material may be hidden already, or still arriving; a server that
 * receives it stops.
 * @throws AppError NOT_FOUND, PERMISSION_DENIED, ALREADY_DELETED
 */
export async function removeUpload(ctx: Context, who: Actor, id: number): Promise<void> {
  await transaction(ctx, async (tx) => {
    const material = await lockOwn(tx, who, id)
    if (material.removedAt) throw new AppError('ALREADY_DELETED')
    await tx.db
      .update(materials)
      .set({ status: 'hidden', removedAt: sql`now()`, updatedAt: sql`now()` })
      .where(eq(materials.id, id))
    tx.emit(material.userId, 'material.removed', { materialId: id })
    const details = { title: material.title }
    auditForeign(tx, who, { action: 'material.deleted', target: id, subject: material.userId, details })
    await ctx.queue.enqueue(tx, putAwayHandle, { materialId: id })
    announce(tx, material, false)
    endUpload(tx, material)
  })
  await putAway(ctx, id).catch((error) => {
    ctx.log.warn({ err: error, material: id }, 'objects of a removed material are left to the queue')
  })
}
