import { and, asc, eq, inArray, notInArray } from 'drizzle-orm'
import { tasks } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { transaction } from '../transaction.ts'
import { settleTask } from './settlement.ts'
import { UNFINISHED } from './states.ts'
import { tellNode } from './tasks.ts'

const BATCH = 500

/**
 * Deletes some tasks of a deleted user. A task that has not ended is cancelled: its node stops it, and its cost is entered in
 * the ledger.
 * @returns how many
 */
export async function deleteTasksOf(ctx: Context, userId: number): Promise<number> {
  const ofUser = eq(tasks.userId, userId)
  const unfinished = await ctx.db
    .select({ id: tasks.id })
    .from(tasks)
    .where(and(ofUser, inArray(tasks.status, UNFINISHED)))
  // One after the other: a node that reports locks its task first and then the accounts of the user, as this does.
  for (const { id } of unfinished) {
    await transaction(ctx, async (tx) => {
      const [task] = await tx.db
        .select()
        .from(tasks)
        .where(and(eq(tasks.id, id), inArray(tasks.status, UNFINISHED)))
        .for('update')
      if (!task) return
      await settleTask(tx, task, { status: 'cancelled' })
      tellNode(tx, task)
    })
  }
  const some = ctx.db
    .select({ id: tasks.id })
    .from(tasks)
    .where(and(ofUser, notInArray(tasks.status, [...UNFINISHED])))
    .orderBy(asc(tasks.id))
    .limit(BATCH)
  const deleted = await ctx.db.delete(tasks).where(inArray(tasks.id, some)).returning({ id: tasks.id })
  return deleted.length
}
