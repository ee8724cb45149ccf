import { and, eq, gt, or, sql } from 'drizzle-orm'
import { passwordResets, users } from '../../db/schema/index.ts'
import { foldCase, tidyAscii } from '../../util/fold.ts'
import { sha256 } from '../../util/secrets.ts'
import { assertPassword } from '../accounts/accounts.ts'
import { mailPasswordChanged } from '../accounts/password-change.ts'
import { hashPassword } from '../accounts/passwords.ts'
import { endSessions } from '../accounts/sessions.ts'
import { audit, auditAlone, type Client } from '../audit/audit.ts'
import type { Context, Tx } from '../context.ts'
import { AppError } from '../errors.ts'
import type { Language } from '../messages.ts'
import { transaction } from '../transaction.ts'
import {
  enforceCodeLimits,
  enforceMailLimits,
  enforceTokenLimits,
  enqueueCodes,
  findByCode,
  wrongCode,
} from './codes.ts'
import { assertRedirect } from './links.ts'

const REQUEST_HOURS = 1

/** What a mail has to prove that its reader may set a new password. A code is short and is typed, a token cannot be guessed. */
export type Proof = 'code' | 'token'

/**
 * Requests a mail with a code or a token. The job that writes the mail looks up the account, so that neither the answer nor its
 * time tells whether the email has one.
 * @throws AppError VALIDATION_FAILED, RATE_LIMITED
 */
export async function requestPasswordReset(
  ctx: Context,
  client: Client,
  input: { email: string; redirectTo: string | undefined; proof: Proof; language: Language },
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
    await enqueueCodes(tx, email, { letter: 'password_reset', resetId: id, proof: input.proof })
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
    resetPassword(ctx, client, { ...input, by: 'code' }, (tx) =>
      findByCode(tx, passwordResets, tidyAscii(input.email), input.code),
    ),
  )
  if (!done) throw await wrongCode(ctx, client, 'password_reset', input.email)
}

/**
 * The same with the token of a mail, which names no email.
 * @throws AppError INVALID_RESET_TOKEN, VALIDATION_FAILED, RATE_LIMITED
 */
export async function resetPasswordWithToken(
  ctx: Context,
  client: Client,
  input: { token: string; newPassword: string; language: Language },
): Promise<void> {
  assertPassword(ctx, input.newPassword, 'new_password')
  const done = await enforceTokenLimits(ctx, client.ip, () =>
    resetPassword(ctx, client, { ...input, by: 'token' }, (tx) => findByToken(tx, input.token)),
  )
  if (done) return
  await auditAlone(ctx, { client }, { action: 'password_reset.failed', details: {} })
  throw new AppError('INVALID_RESET_TOKEN')
}

type Reset = typeof passwordResets.$inferSelect

async function findByToken(tx: Tx, token: string): Promise<Reset | undefined> {
  const { codeHash, codeExpiresAt, expiresAt } = passwordResets
  const [reset] = await tx.db
    .select()
    .from(passwordResets)
    .where(and(eq(codeHash, sha256(token)), gt(codeExpiresAt, sql`now()`), gt(expiresAt, sql`now()`)))
    .for('update')
  return reset
}

/** @returns undefined when no request is found: an exception would roll back the count of wrong tries */
async function resetPassword(
  ctx: Context,
  client: Client,
  input: { newPassword: string; by: Proof; language: Language },
  find: (tx: Tx) => Promise<Reset | undefined>,
): Promise<true | undefined> {
  const passwordHash = await hashPassword(input.newPassword)
  return transaction(ctx, async (tx) => {
    const reset = await find(tx)
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
    const details = { by: input.by }
    audit(tx, { client }, { action: 'user.password_reset', target: userId, subject: userId, details })
    await endSessions(tx, { client }, userId, 'password_reset')
    await tx.db
      .delete(passwordResets)
      .where(or(eq(passwordResets.userId, userId), eq(passwordResets.id, reset.id)))
    await mailPasswordChanged(tx, userId, input.language)
    return true
  })
}
