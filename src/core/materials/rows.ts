import { eq } from 'drizzle-orm'
import { materials } from '../../db/schema/index.ts'
import type { Tx } from '../context.ts'
import { notFound } from '../errors.ts'

export type Material = typeof materials.$inferSelect
export type MaterialType = Material['type']
export const MATERIAL_TYPES = ['video', 'pdf'] as const satisfies readonly MaterialType[]

/** @throws AppError NOT_FOUND */
export async function lockMaterial(tx: Tx, id: number): Promise<Material> {
  const [material] = await tx.db.select().from(materials).where(eq(materials.id, id)).for('update')
  if (!material) throw notFound('material', id)
  return material
}
