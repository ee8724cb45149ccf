import { and, eq, sql } from 'drizzle-orm'
import { users } from '../../db/schema/index.ts'
import { audit, auditAlone } from '../audit/audit.ts'
import type { Context, Tx } from '../context.ts'
import { invalid } from '../errors.ts'
import { mailHandle } from '../mail/job-handle.ts'
import type { Language } from '../messages.ts'
import { enforceFailureLimits, type Limit } from '../rate-limits/rate-limits.ts'
import { transaction } from '../transaction.ts'
import { assertPassword, getAccount } from './accounts.ts'
import { hashPassword, verifyPassword } from './passwords.ts'
import type { Actor } from './principals.ts'
import { endSessions } from './sessions.ts'

/** Limits wrong current passwords, so that a stolen session can't be used to guess the password. */
const passwordGuessLimits = (userId: number): Limit[] => [
  { policy: 'password', key: String(userId), max: 10, windowMs: 5 * 60_000 },
]

/**
 * Changes the password, ends the user's other sessions, and mails the user about it.
 * @throws AppError VALIDATION_FAILED when the current password is wrong or the new one too short, RATE_LIMITED
 */
export async function changePassword(
  ctx: Context,
  who: Actor,
  input: { currentPassword: string; newPassword: string; language: Language },
): Promise<void> {
  const { userId, sessionId } = who
  assertPassword(ctx, input.newPassword, 'new_password')
  const user = await enforceFailureLimits(ctx, passwordGuessLimits(userId), async () => {
    const found = await getAccount(ctx, userId)
    return (await verifyPassword(input.currentPassword, found.passwordHash)) ? found : undefined
  })
  if (!user) {
    await auditAlone(ctx, who, { action: 'user.password_change_failed', target: userId, subject: userId })
    throw invalid('current_password', 'current_password')
  }
  const passwordHash = await hashPassword(input.newPassword)
  await transaction(ctx, async (tx) => {
    const changed = await tx.db
      .update(users)
      .set({ passwordHash, updatedAt: sql`now()` })
      .where(and(eq(users.id, userId), eq(users.passwordHash, user.passwordHash)))
      .returning({ id: users.id })
    // No row: the password was changed or reset meanwhile, and a client that knows only the old one must not overwrite it.
    if (changed.length === 0) throw invalid('current_password', 'current_password')
    audit(tx, who, { action: 'user.password_changed', target: userId, subject: userId })
    await endSessions(tx, who, userId, 'password_changed', sessionId)
    await mailPasswordChanged(tx, userId, input.language)
  })
}

/** Mails the owner of the account, because somebody else may have changed the password. */
export async function mailPasswordChanged(tx: Tx, userId: number, language: Language): Promise<void> {
  await tx.queue.enqueue(tx, mailHandle, { letter: 'password_changed', userId, language })
}
