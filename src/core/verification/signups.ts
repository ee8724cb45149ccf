import { desc, eq, sql } from 'drizzle-orm'
import { signups } from '../../db/schema/index.ts'
import { foldCase, tidyAscii } from '../../util/fold.ts'
import { assertPassword, enforceRegistrationLimit, insertAccount } from '../accounts/accounts.ts'
import { announceSignIn } from '../accounts/login-event.ts'
import { isUsernameTaken, readUsername } from '../accounts/names.ts'
import { hashPassword } from '../accounts/passwords.ts'
import { addSession, issueTokens, type SignedIn } from '../accounts/sessions.ts'
import { audit, type Client } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import type { Language } from '../messages.ts'
import { transaction } from '../transaction.ts'
import {
  enforceCodeLimits,
  enforceMailLimits,
  enqueueCodes,
  findByCode,
  requestsOf,
  wrongCode,
} from './codes.ts'
import { useInviteCode } from './invites.ts'
import { assertRedirect } from './links.ts'

/** How long new codes can be sent for a signup. */
const SIGNUP_HOURS = 24
/** The newest signups of an email that get new codes. Different people may have made them, so all get one. */
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
 * Stores a signup and requests the mail with its code. The work is the same whether the email has an account or not;
 * only the mail, which a job writes later, differs.
 * @throws AppError VALIDATION_FAILED, USERNAME_TAKEN, RATE_LIMITED
 */
export async function requestSignup(ctx: Context, client: Client, input: NewSignup): Promise<void> {
  const username = readUsername(input.username)
  const email = tidyAscii(input.email)
  assertPassword(ctx, input.password, 'password')
  assertRedirect(ctx, input.redirectTo)
  await enforceRegistrationLimit(ctx, client.ip)
  if (await isUsernameTaken(ctx, username)) throw new AppError('USERNAME_TAKEN')
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
    await enqueueCodes(tx, email, { letter: 'signup', signupIds: [id] })
    audit(tx, { client }, { action: 'signup.requested', details: { email } })
  })
}

/**
 * Requests new codes for the signups of an email. An email without signups gets no mail, after the same work.
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
    await enqueueCodes(tx, email, { letter: 'signup', signupIds: requests.map(({ id }) => id) })
    audit(tx, { client }, { action: 'signup.code_requested', details: { email } })
  })
}

/**
 * Creates the account of the signup with this code, signs the user in, and deletes the email's other signups.
 * @throws AppError INVALID_CODE, RATE_LIMITED; EMAIL_TAKEN, USERNAME_TAKEN when another sign-up was first
 */
export async function verifySignup(
  ctx: Context,
  client: Client,
  input: { email: string; code: string; accessMinutes: number },
): Promise<SignedIn> {
  const verified = await enforceCodeLimits(ctx, 'signup', input.email, client.ip, () =>
    createSignupAccount(ctx, client, tidyAscii(input.email), input.code),
  )
  if (!verified) throw await wrongCode(ctx, client, 'signup', input.email)
  return issueTokens(ctx, verified.user, verified.sessionId, verified.refreshToken, input.accessMinutes)
}

/** @returns undefined when the code is wrong: an exception would roll back the count of wrong tries */
const createSignupAccount = (ctx: Context, client: Client, email: string, code: string) =>
  transaction(ctx, async (tx) => {
    const signup = await findByCode(tx, signups, email, code)
    if (!signup) return undefined
    const user = await insertAccount(
      tx,
      { client },
      {
        username: signup.username,
        displayName: signup.username,
        email: signup.email,
        passwordHash: signup.passwordHash,
        emailConfirmedAt: new Date(),
      },
    )
    if (signup.inviteCode !== null) await useInviteCode(tx, signup.inviteCode, user.id)
    await tx.db.delete(signups).where(eq(signups.emailKey, signup.emailKey))
    const added = await addSession(tx, user, client)
    await announceSignIn(tx, user, added.sessionId, client)
    return { user, ...added }
  })
