import { eq, sql } from 'drizzle-orm'
import { materials } from '../../db/schema/index.ts'
import type { Core } from '../context.ts'
import { transaction } from '../transaction.ts'
import type { Material } from './materials.ts'

/** Makes pictures of files, outside this process. */
export interface ThumbnailRenderer {
  /**
   * Writes a JPEG of the file at `input` to `output`.
   * @throws ThumbnailError
   */
  render(job: { input: string; output: string; kind: Material['type'] }, signal: AbortSignal): Promise<void>
  /** What stands in for a file without a picture. */
  placeholder(kind: Material['type']): Promise<Uint8Array>
  /** Whether trying again could help. */
  isFinal(error: unknown): boolean
}

const thumbnailKey = ({ userId, id }: Material): string => `thumbnails/${userId}/${id}.jpg`

/** The material while it still waits for a thumbnail; deleted or done ones need none. */
async function waiting(ctx: Core, materialId: number): Promise<Material | undefined> {
  const [material] = await ctx.db.select().from(materials).where(eq(materials.id, materialId))
  return material?.removedAt === null && material.thumbnailStatus === 'pending' ? material : undefined
}

/**
 * Makes the thumbnail of a material. May run again after a crash: it ends in the same object and one event.
 * @throws what rendering or the storage threw, when another try may succeed
 */
export async function makeThumbnail(
  ctx: Core,
  renderer: ThumbnailRenderer,
  materialId: number,
  signal: AbortSignal,
): Promise<void> {
  const material = await waiting(ctx, materialId)
  if (!material) return
  const local = await ctx.storage.openLocal(material.filePath)
  const output = `${local.scratch}/${material.id}.jpg`
  try {
    await renderer.render({ input: local.path, output, kind: material.type }, signal)
    await ctx.storage.write(thumbnailKey(material), Bun.file(output).stream())
  } catch (error) {
    if (!renderer.isFinal(error)) throw error
    return await failThumbnail(ctx, renderer, materialId, (error as { code?: string }).code ?? 'UNREADABLE')
  } finally {
    await local.dispose()
  }
  await transaction(ctx, async (tx) => {
    if (!(await settle(tx.db, material, 'completed'))) return
    const thumbnail_path = thumbnailKey(material)
    tx.emit(material.userId, 'thumbnail.completed', { material_id: material.id, thumbnail_path })
  })
}

/** Gives up: a placeholder takes the thumbnail's place, and the uploader is told. */
export async function failThumbnail(
  ctx: Core,
  renderer: ThumbnailRenderer,
  materialId: number,
  reason: string,
): Promise<void> {
  const material = await waiting(ctx, materialId)
  if (!material) return
  const picture = await renderer.placeholder(material.type)
  await ctx.storage.write(thumbnailKey(material), single(picture))
  await transaction(ctx, async (tx) => {
    if (!(await settle(tx.db, material, 'failed'))) return
    const thumbnail_path = thumbnailKey(material)
    tx.emit(material.userId, 'thumbnail.failed', { material_id: material.id, thumbnail_path, reason })
  })
}

async function settle(db: Core['db'], material: Material, status: 'completed' | 'failed'): Promise<boolean> {
  const settled = await db
    .update(materials)
    .set({ thumbnailStatus: status, thumbnailPath: thumbnailKey(material), updatedAt: sql`now()` })
    .where(
      sql`${materials.id} = ${material.id} and ${materials.thumbnailStatus} = 'pending' and ${materials.removedAt} is null`,
    )
    .returning({ id: materials.id })
  return settled.length > 0
}

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
