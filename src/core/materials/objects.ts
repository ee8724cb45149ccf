/** The objects of a material. When it is hidden they move to other keys. */
import { eq } from 'drizzle-orm'
import { materials } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { hiddenKey } from '../files/keys.ts'
import { backupRuns, WaitsForBackup } from '../system/backup-lease.ts'
import type { Material } from './rows.ts'

type Paths = Pick<Material, 'filePath' | 'thumbnailPath'>

export const objectsOf = ({ filePath, thumbnailPath }: Paths): string[] =>
  thumbnailPath ? [filePath, thumbnailPath] : [filePath]

/** Deletes objects at both keys, because a move may be in progress. */
export async function deleteObjects(ctx: Context, deleted: Paths[]): Promise<void> {
  const keys = deleted.flatMap(objectsOf)
  await ctx.storage.delete([...keys, ...keys.map(hiddenKey)])
}

/**
 * Hides the objects of a hidden material, deletes those of a removed one. It may run several times, also at the same time
 * as another deletion of the same material.
 * @throws StorageError, or WaitsForBackup after it has hidden what it may not delete yet; the queue tries again
 */
export async function putAway(ctx: Context, materialId: number): Promise<void> {
  const [material] = await ctx.db.select().from(materials).where(eq(materials.id, materialId))
  if (!material?.removedAt && !material?.hiddenAt) return
  const mustWait = await backupRuns(ctx)
  if (material.removedAt && !mustWait) return deleteObjects(ctx, [material])
  for (const key of objectsOf(material)) await ctx.storage.move(key, hiddenKey(key))
  if (material.removedAt) throw new WaitsForBackup()
}
