/** The sessions of a user, as the user and administrators see and end them. */
import { and, count, desc, eq, gt, isNull, sql } from 'drizzle-orm'
import { sessions } from '../../db/schema/index.ts'
import type { Context, Tx } from '../context.ts'
import { notFound } from '../errors.ts'
import { transaction } from '../transaction.ts'
import { getAccount } from './accounts.ts'
import { assertMay, outranked, outranks } from './permissions.ts'
import type { Actor, Principal } from './principals.ts'
import { type EndReason, endSession, endSessions } from './sessions.ts'

export type Session = typeof sessions.$inferSelect

/**
 * The sessions of a user that have not ended, the last used first.
 * @throws AppError PERMISSION_DENIED, NOT_FOUND
 */
export async function listSessions(
  ctx: Context,
  who: Principal,
  userId: number,
  { page, limit }: { page: number; limit: number },
): Promise<{ sessions: Session[]; total: number }> {
  if (who.userId !== userId) assertMay(who.role, 'user.read')
  await getAccount(ctx, userId)
  const open = and(
    eq(sessions.userId, userId),
    isNull(sessions.revokedAt),
    gt(sessions.expiresAt, sql`now()`),
  )
  const [[total], rows] = await Promise.all([
    ctx.db.select({ n: count() }).from(sessions).where(open),
    ctx.db
      .select()
      .from(sessions)
      .where(open)
      .orderBy(desc(sessions.lastSeenAt), desc(sessions.id))
      .limit(limit)
      .offset((page - 1) * limit),
  ])
  return { sessions: rows, total: total!.n }
}

/**
 * Ends a session of one's own, or of a user whom the administrator may change. Ending it twice is no error.
 * @throws AppError PERMISSION_DENIED, HIGHER_ROLE, NOT_FOUND
 */
export const endUserSession = (ctx: Context, who: Actor, userId: number, sessionId: string): Promise<void> =>
  transaction(ctx, async (tx) => {
    const reason = await reasonToEnd(tx, who, userId)
    const [session] = await tx.db
      .select({ id: sessions.id })
      .from(sessions)
      .where(and(eq(sessions.id, sessionId), eq(sessions.userId, userId)))
    if (!session) throw notFound('session', sessionId)
    await endSession(tx, who, userId, sessionId, reason)
  })

/**
 * Ends all sessions of a user.
 * @param exceptCurrent the caller's own session stays
 * @throws AppError PERMISSION_DENIED, HIGHER_ROLE, NOT_FOUND
 */
export const endUserSessions = (
  ctx: Context,
  who: Actor,
  userId: number,
  { exceptCurrent }: { exceptCurrent: boolean },
): Promise<void> =>
  transaction(ctx, async (tx) => {
    const reason = await reasonToEnd(tx, who, userId)
    await endSessions(tx, who, userId, reason, exceptCurrent ? who.sessionId : undefined)
  })

/**
 * Checks that `who` may end sessions of a user.
 * @returns why they end
 * @throws AppError PERMISSION_DENIED, HIGHER_ROLE, NOT_FOUND
 */
async function reasonToEnd(tx: Tx, who: Actor, userId: number): Promise<EndReason> {
  if (who.userId === userId) return 'signed_out'
  assertMay(who.role, 'user.update')
  const user = await getAccount(tx, userId)
  if (!outranks(who.role, user.role)) throw outranked('user.update', who.role)
  return 'ended_by_administrator'
}
