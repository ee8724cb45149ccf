/** The limit on the unfinished tasks of one user. */
import { type Placeholder, type SQL, sql } from 'drizzle-orm'
import type { Tx } from '../context.ts'
import { AppError } from '../errors.ts'
import { UNFINISHED } from './states.ts'

/**
 * The number of a user's unfinished tasks, as a part of a statement. The database counts when it comes to this part, so it
 * sees everything that was committed before the statement got the lock that it has waited for.
 */
export const unfinishedOf = (userId: number | Placeholder | SQL) =>
  sql<number>`count_tasks(${userId}, ${`{${UNFINISHED.join(',')}}`})`

export async function countUnfinished(tx: Tx, userId: number): Promise<number> {
  const [unfinished] = await tx.db.execute<{ n: number }>(sql`select ${unfinishedOf(userId)} as n`)
  return unfinished!.n
}

/** @throws AppError TASK_LIMIT_EXCEEDED when the user has as many unfinished tasks as are allowed */
export function assertRoom(unfinished: number, limit: number): void {
  if (unfinished >= limit) throw new AppError('TASK_LIMIT_EXCEEDED', { params: { limit } })
}
