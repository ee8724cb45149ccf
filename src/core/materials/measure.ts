/** How long a video is, and how many pages a PDF has: courses count by them. */
import { and, eq, isNull, or } from 'drizzle-orm'
import { isOneOf } from '../../db/arrays.ts'
import { materials } from '../../db/schema/index.ts'
import type { Context, Tx } from '../context.ts'
import { measureHandle } from './job-handles.ts'
import { type Facts, measured } from './rows.ts'

const unmeasured = and(
  eq(materials.status, 'active'),
  or(
    and(eq(materials.type, 'video'), isNull(materials.durationSeconds)),
    and(eq(materials.type, 'pdf'), isNull(materials.pages)),
  ),
)

/**
 * Has those of these materials measured that have not been, such as uploads to an older version of this server, or files of
 * which no thumbnail could be made.
 */
export async function requestMeasures(tx: Tx, materialIds: number[]): Promise<void> {
  const rows = await tx.db
    .select({ id: materials.id })
    .from(materials)
    .where(and(isOneOf(materials.id, materialIds), unmeasured))
  for (const { id } of rows)
    await tx.queue.enqueue(tx, measureHandle, { materialId: id }, { singletonKey: String(id) })
}

/** @throws the error of reading the file or of the storage, when another try may succeed */
export async function measureMaterial(
  ctx: Context,
  materialId: number,
  { attempt, signal }: { attempt: number; signal: AbortSignal },
): Promise<void> {
  const [material] = await ctx.db
    .select()
    .from(materials)
    .where(and(eq(materials.id, materialId), unmeasured))
  if (!material) return
  const local = await ctx.storage.openLocal(material.filePath, { signal })
  let facts: Facts = {}
  try {
    facts = await ctx.imaging.measure(
      { input: local.path, kind: material.type, place: local.scratch },
      signal,
    )
  } catch (error) {
    if (!ctx.imaging.isFinal(error, attempt)) throw error
  } finally {
    await local.dispose()
  }
  await ctx.db
    .update(materials)
    .set(measured(material.type, facts))
    .where(and(eq(materials.id, materialId), unmeasured))
}
