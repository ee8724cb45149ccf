import { desc, eq, sql } from 'drizzle-orm'
import { signups } from '../../db/schema/index.ts'
import { foldCase, tidyAscii } from '../../util/fold.ts'
import { assertPassword, enforceRegistrationLimit, insertAccount } from '../accounts/accounts.ts'
import { isTaken, readUsername } from '../accounts/names.ts'
import { hashPassword } from '../accounts/passwords.ts'
import { addSession, type Client, issueTokens, type SignedIn } from '../accounts/sessions.ts'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import { mailHandle } from '../mail/job-handle.ts'
import type { Language } from '../messages.ts'
import { transaction } from '../transaction.ts'
import { enforceCodeLimits, enforceMailLimits, findByCode, requestsOf } from './codes.ts'
import { useInviteCode } from './invites.ts'
import { assertRedirect } from './links.ts'

/** How long another code may be sent for a signup. */
const SIGNUP_HOURS = 24
/** So many signups of one email are sent new codes: each may be somebody else's, so none is preferred. */
const RESENT = 5

export interface NewSignup {
  username: string
  email: string
  password: string
  redirectTo: string | undefined
  inviteCode: string | undefined
  language: Language
}

/**
 * Notes a signup and has its code mailed. Does the same work whether the email has an account or not: only the mail,
 * written later, differs.
 * @throws AppError VALIDATION_FAILED, USERNAME_TAKEN, RATE_LIMITED
 */
export async function requestSignup(ctx: Context, client: Client, input: NewSignup): Promise<void> {
  const username = readUsername(input.username)
  const email = tidyAscii(input.email)
  assertPassword(ctx, input.password, 'password')
  assertRedirect(ctx, input.redirectTo)
  await enforceRegistrationLimit(ctx, client.ip)
  if (await isTaken(ctx, username)) throw new AppError('USERNAME_TAKEN')
  await enforceMailLimits(ctx, 'signup', email, client.ip)
  const passwordHash = await hashPassword(input.password)
  await transaction(ctx, async (tx) => {
    const id = Bun.randomUUIDv7()
    await tx.db.insert(signups).values({
      id,
      email,
      emailKey: foldCase(email),
      username,
      passwordHash,
      inviteCode: input.inviteCode ?? null,
      redirectTo: input.redirectTo ?? null,
      language: input.language,
      expiresAt: sql`now() + make_interval(hours => ${SIGNUP_HOURS})`,
    })
    await tx.queue.enqueue(tx, mailHandle, { letter: 'signup', signupIds: [id] })
  })
}

/**
 * Has new codes mailed for the signups of an email; an email without any gets none, after the same work.
 * @throws AppError RATE_LIMITED
 */
export async function resendSignupCode(ctx: Context, client: Client, address: string): Promise<void> {
  const email = tidyAscii(address)
  await enforceMailLimits(ctx, 'signup', email, client.ip)
  await transaction(ctx, async (tx) => {
    const requests = await tx.db
      .select({ id: signups.id })
      .from(signups)
      .where(requestsOf(signups, email))
      .orderBy(desc(signups.id))
      .limit(RESENT)
    await tx.queue.enqueue(tx, mailHandle, { letter: 'signup', signupIds: requests.map(({ id }) => id) })
  })
}

/**
 * Makes the account of the one signup whose code this is, and signs in. The email's other signups end.
 * @throws AppError INVALID_CODE, EMAIL_TAKEN and USERNAME_TAKEN when somebody was quicker, RATE_LIMITED
 */
export async function verifySignup(
  ctx: Context,
  client: Client,
  input: { email: string; code: string; accessMinutes: number },
): Promise<SignedIn> {
  const verified = await enforceCodeLimits(ctx, 'signup', input.email, client.ip, () =>
    makeAccount(ctx, client, tidyAscii(input.email), input.code),
  )
  if (!verified) throw new AppError('INVALID_CODE')
  return issueTokens(ctx, verified.user, verified.sessionId, verified.refreshToken, input.accessMinutes)
}

/** @returns undefined when the code is wrong: not thrown, for the try must be counted */
const makeAccount = (ctx: Context, client: Client, email: string, code: string) =>
  transaction(ctx, async (tx) => {
    const signup = await findByCode(tx, signups, email, code)
    if (!signup) return undefined
    const user = await insertAccount(tx, {
      username: signup.username,
      displayName: signup.username,
      email: signup.email,
      passwordHash: signup.passwordHash,
      emailConfirmedAt: new Date(),
    })
    if (signup.inviteCode !== null) await useInviteCode(tx, signup.inviteCode, user.id)
    await tx.db.delete(signups).where(eq(signups.emailKey, signup.emailKey))
    return { user, ...(await addSession(tx, user, client)) }
  })
