import { eq, or, sql } from 'drizzle-orm'
import { passwordResets, users } from '../../db/schema/index.ts'
import { foldCase, tidyAscii } from '../../util/fold.ts'
import { assertPassword } from '../accounts/accounts.ts'
import { mailPasswordChanged } from '../accounts/password-change.ts'
import { hashPassword } from '../accounts/passwords.ts'
import { endSessions } from '../accounts/sessions.ts'
import { audit, type Client } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import type { Language } from '../messages.ts'
import { transaction } from '../transaction.ts'
import { enforceCodeLimits, enforceMailLimits, enqueueCodes, findByCode, wrongCode } from './codes.ts'
import { assertRedirect } from './links.ts'

const REQUEST_HOURS = 1

/**
 * Requests a mail with a code. The job that writes the mail looks up the account, so that neither the answer nor its
 * time tells whether the email has one.
 * @throws AppError VALIDATION_FAILED, RATE_LIMITED
 */
export async function requestPasswordReset(
  ctx: Context,
  client: Client,
  input: { email: string; redirectTo: string | undefined; language: Language },
): Promise<void> {
  assertRedirect(ctx, input.redirectTo)
  const email = tidyAscii(input.email)
  await enforceMailLimits(ctx, 'password_reset', email, client.ip)
  await transaction(ctx, async (tx) => {
    const id = Bun.randomUUIDv7()
    await tx.db.insert(passwordResets).values({
      id,
      email,
      emailKey: foldCase(email),
      redirectTo: input.redirectTo ?? null,
      language: input.language,
      expiresAt: sql`now() + make_interval(hours => ${REQUEST_HOURS})`,
    })
    await enqueueCodes(tx, email, { letter: 'password_reset', resetId: id })
    audit(tx, { client }, { action: 'password_reset.requested', details: { email } })
  })
}

/**
 * Sets the password, ends all sessions and mails the owner. It also confirms the email, because the code came from that
 * mailbox.
 * @throws AppError INVALID_CODE, VALIDATION_FAILED, RATE_LIMITED
 */
export async function confirmPasswordReset(
  ctx: Context,
  client: Client,
  input: { email: string; code: string; newPassword: string; language: Language },
): Promise<void> {
  assertPassword(ctx, input.newPassword, 'new_password')
  const done = await enforceCodeLimits(ctx, 'password_reset', input.email, client.ip, () =>
    resetPassword(ctx, client, input),
  )
  if (!done) throw await wrongCode(ctx, client, 'password_reset', input.email)
}

/** @returns undefined when the code is wrong: an exception would roll back the count of wrong tries */
async function resetPassword(
  ctx: Context,
  client: Client,
  input: { email: string; code: string; newPassword: string; language: Language },
): Promise<true | undefined> {
  const email = tidyAscii(input.email)
  const passwordHash = await hashPassword(input.newPassword)
  return transaction(ctx, async (tx) => {
    const reset = await findByCode(tx, passwordResets, email, input.code)
    if (!reset?.userId) return undefined
    const { userId } = reset
    await tx.db
      .update(users)
      .set({
        passwordHash,
        emailConfirmedAt: sql`coalesce(${users.emailConfirmedAt}, now())`,
        updatedAt: sql`now()`,
      })
      .where(eq(users.id, userId))
    const details = { by: 'code' } as const
    audit(tx, { client }, { action: 'user.password_reset', target: userId, subject: userId, details })
    await endSessions(tx, { client }, userId, 'password_reset')
    await tx.db
      .delete(passwordResets)
      .where(or(eq(passwordResets.userId, userId), eq(passwordResets.id, reset.id)))
    await mailPasswordChanged(tx, userId, input.language)
    return true
  })
}
