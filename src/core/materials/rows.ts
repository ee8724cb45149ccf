import { and, eq } from 'drizzle-orm'
import { materials } from '../../db/schema/index.ts'
import { ownerExists } from '../accounts/owners.ts'
import type { Tx } from '../context.ts'
import { notFound } from '../errors.ts'

export type Material = typeof materials.$inferSelect
export type MaterialType = Material['type']
export const MATERIAL_TYPES = ['video', 'pdf'] as const satisfies readonly MaterialType[]

/** The material with this id. Those of a deleted user exist for nobody, although a job has yet to delete them. */
export const hasId = (id: number) => and(eq(materials.id, id), ownerExists(materials.userId))

/** @throws AppError NOT_FOUND */
export async function lockMaterial(tx: Tx, id: number): Promise<Material> {
  const [material] = await tx.db.select().from(materials).where(hasId(id)).for('update')
  if (!material) throw notFound('material', id)
  return material
}

/** What the file of a material says of itself, as far as it does. */
export interface Facts {
  durationSeconds?: number
  pages?: number
}

/** The columns of a material whose file has been read. 0: the file does not tell, so there is no need to read it again. */
export const measured = (
  type: MaterialType,
  { durationSeconds = 0, pages = 0 }: Facts,
): Pick<Material, 'durationSeconds' | 'pages'> =>
  type === 'video' ? { durationSeconds, pages: null } : { durationSeconds: null, pages }
