/** Where the objects of a material are, which depends on whether it was deleted. */
import { eq } from 'drizzle-orm'
import { materials } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { hiddenKey } from '../files/keys.ts'
import type { Material } from './rows.ts'

type Paths = Pick<Material, 'filePath' | 'thumbnailPath'>

export const objectsOf = ({ filePath, thumbnailPath }: Paths): string[] =>
  thumbnailPath ? [filePath, thumbnailPath] : [filePath]

/** At both places: a move may be under way. */
export async function deleteObjects(ctx: Context, deleted: Paths[]): Promise<void> {
  const keys = deleted.flatMap(objectsOf)
  await ctx.storage.delete([...keys, ...keys.map(hiddenKey)])
}

/**
 * Does with a deleted material's objects what its deletion means: they are hidden, or gone. May run again, and beside
 * another deletion of the same material.
 * @throws StorageError; the queue tries again
 */
export async function putAway(ctx: Context, materialId: number): Promise<void> {
  const [material] = await ctx.db.select().from(materials).where(eq(materials.id, materialId))
  if (material?.removedAt) await deleteObjects(ctx, [material])
  else if (material?.hiddenAt) {
    for (const key of objectsOf(material)) await ctx.storage.move(key, hiddenKey(key))
  }
}
