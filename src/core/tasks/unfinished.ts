/** The limit on the unfinished tasks of one user. */
import { type Placeholder, sql } from 'drizzle-orm'
import { tasks } from '../../db/schema/index.ts'
import type { Tx } from '../context.ts'
import { AppError } from '../errors.ts'
import { UNFINISHED } from './states.ts'

/** The number of a user's unfinished tasks, as a part of a statement. */
export const unfinishedOf = (userId: number | Placeholder) =>
  sql<number>`(select count(*)::int from ${tasks} t where t.user_id = ${userId} and t.status in ${UNFINISHED})`

export async function countUnfinished(tx: Tx, userId: number): Promise<number> {
  const [unfinished] = await tx.db.execute<{ n: number }>(sql`select ${unfinishedOf(userId)} as n`)
  return unfinished!.n
}

/** @throws AppError TASK_LIMIT_EXCEEDED when the user has as many unfinished tasks as are allowed */
export function assertRoom(unfinished: number, limit: number): void {
  if (unfinished >= limit) throw new AppError('TASK_LIMIT_EXCEEDED', { params: { limit } })
}
