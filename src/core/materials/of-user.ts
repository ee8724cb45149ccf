/** The materials and likes of a user who is deleted. */
import { asc, eq, type SQL, sql } from 'drizzle-orm'
import { isOneOf } from '../../db/arrays.ts'
import { idRanges } from '../../db/id-ranges.ts'
import { materials } from '../../db/schema/index.ts'
import type { Context, Tx } from '../context.ts'
import { backupRuns, WaitsForBackup } from '../system/backup-lease.ts'
import { announce } from './announce.ts'
import { deleteObjects } from './objects.ts'
import { endUpload } from './uploads.ts'

const BATCH = 100

/** Hides all materials of a user from everybody. A server that receives one of them stops. */
export async function hideMaterialsOf(tx: Tx, userId: number): Promise<void> {
  const shown = sql`${materials.userId} = ${userId} and ${materials.removedAt} is null`
  for (const some of await idRanges(tx.db, materials, shown)) await hideSome(tx, some)
}

async function hideSome(tx: Tx, some: SQL): Promise<void> {
  const before = tx.db
    .select({ id: materials.id, status: materials.status })
    .from(materials)
    .where(some)
    .for('update')
    .as('before')
  const hidden = await tx.db
    .update(materials)
    .set({ status: 'hidden', removedAt: sql`now()`, updatedAt: sql`now()` })
    .from(before)
    .where(eq(materials.id, before.id))
    .returning({ id: materials.id, type: materials.type, status: before.status })
  for (const material of hidden) {
    announce(tx, material, false)
    endUpload(tx, material)
  }
}

/**
 * Deletes the objects and then the records of some materials of a user.
 * @returns how many
 * @throws WaitsForBackup
 */
export async function deleteMaterialsOf(ctx: Context, userId: number): Promise<number> {
  const some = await ctx.db
    .select()
    .from(materials)
    .where(eq(materials.userId, userId))
    .orderBy(asc(materials.id))
    .limit(BATCH)
  if (some.length === 0) return 0
  if (await backupRuns(ctx)) throw new WaitsForBackup()
  await deleteObjects(ctx, some)
  const ids = some.map(({ id }) => id)
  await ctx.db.delete(materials).where(isOneOf(materials.id, ids))
  return ids.length
}

/** Takes some likes of a user back. @returns how many */
export async function deleteLikesOf(ctx: Context, userId: number): Promise<number> {
  const taken = await ctx.db.execute(sql`
    with liked as (
      select m.id from material_likes l join materials m on m.id = l.material_id
      where l.user_id = ${userId} order by m.id limit ${BATCH} for no key update of m
    ), taken as (
      delete from material_likes where user_id = ${userId} and material_id in (select id from liked) returning material_id
    )
    update materials set like_count = like_count - 1 where id in (select material_id from taken) returning id`)
  return taken.length
}
