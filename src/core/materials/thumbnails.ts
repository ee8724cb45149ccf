import { and, count, eq, ne, sql } from 'drizzle-orm'
import { materials } from '../../db/schema/index.ts'
import type { Body } from '../../storage/storage.ts'
import type { Context, Tx } from '../context.ts'
import { transaction } from '../transaction.ts'
import { thumbnailHandle } from './job-handles.ts'
import { thumbnailKey } from './keys.ts'
import { lockMaterial, type Material } from './rows.ts'

const THUMBNAIL_BOX = { width: 640, height: 360 }

/** @returns undefined when the material has a thumbnail already, or was deleted */
async function findPending(ctx: Context, materialId: number): Promise<Material | undefined> {
  const [material] = await ctx.db.select().from(materials).where(eq(materials.id, materialId))
  return material?.status === 'active' && material.thumbnailStatus === 'pending' ? material : undefined
}

/** How many pending thumbnails of one user are counted. Later ones all have the same priority. */
const MAX_TURNS = 1000

/**
 * Adds the job with a priority that is fair between users: the more pending thumbnails a user has, the lower it is, so that
 * the first thumbnail of every user comes before the second of any.
 */
export async function enqueueThumbnail(tx: Tx, { id, userId }: Material): Promise<void> {
  const before = tx.db
    .select({ one: sql`1` })
    .from(materials)
    .where(
      and(
        eq(materials.userId, userId),
        eq(materials.status, 'active'),
        eq(materials.thumbnailStatus, 'pending'),
        ne(materials.id, id),
      ),
    )
    .limit(MAX_TURNS)
    .as('before')
  const [row] = await tx.db.select({ turns: count() }).from(before)
  await tx.queue.enqueue(tx, thumbnailHandle, { materialId: id }, { priority: -row!.turns })
}

/**
 * Makes the thumbnail of a material. It may run again after a crash; the result is the same object and one event.
 * @throws the error of rendering or of the storage, when another try may succeed
 */
export async function makeThumbnail(
  ctx: Context,
  materialId: number,
  { attempt, signal }: { attempt: number; signal: AbortSignal },
): Promise<void> {
  const material = await findPending(ctx, materialId)
  if (!material) return
  const local = await ctx.storage.openLocal(material.filePath, { signal })
  const output = `${local.scratch}/${material.id}.jpg`
  try {
    await ctx.imaging.preview({ input: local.path, output, kind: material.type, box: THUMBNAIL_BOX }, signal)
    await storeThumbnail(ctx, material, Bun.file(output).stream(), { status: 'completed' })
  } catch (error) {
    if (!ctx.imaging.isFinal(error, attempt)) throw error
    await failThumbnail(ctx, materialId, (error as { code?: string }).code ?? 'UNREADABLE')
  } finally {
    await local.dispose()
  }
}

/** Stores a placeholder as the thumbnail, and emits `thumbnail.failed`. */
export async function failThumbnail(ctx: Context, materialId: number, reason: string): Promise<void> {
  const material = await findPending(ctx, materialId)
  if (!material) return
  const picture = await ctx.imaging.placeholder(material.type)
  await storeThumbnail(ctx, material, chunkOf(picture), { status: 'failed', reason })
}

type Outcome = { status: 'completed' } | { status: 'failed'; reason: string }

/** Stores the picture, then updates the material and emits the event. */
async function storeThumbnail(
  ctx: Context,
  { userId, id }: Material,
  picture: Body,
  outcome: Outcome,
): Promise<void> {
  const thumbnailPath = thumbnailKey({ userId, id })
  await ctx.storage.write(thumbnailPath, picture)
  const active = await transaction(ctx, async (tx) => {
    const material = await lockMaterial(tx, id)
    if (material.status !== 'active') return false
    if (material.thumbnailStatus !== 'pending') return true
    await tx.db
      .update(materials)
      .set({ thumbnailStatus: outcome.status, thumbnailPath, updatedAt: sql`now()` })
      .where(eq(materials.id, id))
    const data = { materialId: id, thumbnailPath }
    if (outcome.status === 'completed') tx.emit(userId, 'thumbnail.completed', data)
    else tx.emit(userId, 'thumbnail.failed', { ...data, reason: outcome.reason })
    return true
  })
  // The material was deleted while the picture was made, when there was no thumbnail to hide yet.
  if (!active) await ctx.storage.delete([thumbnailPath])
}

async function* chunkOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
