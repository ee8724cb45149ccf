import { and, asc, eq, gt, inArray, isNull, lt, sql } from 'drizzle-orm'
import { passwordResets, signups, users } from '../../db/schema/index.ts'
import { MailRefused } from '../../mail/mailer.ts'
import { findByEmail } from '../accounts/accounts.ts'
import type { Context } from '../context.ts'
import type { MailJob } from '../mail/job-handle.ts'
import { type Letter, writeLetter } from '../mail/letters.ts'
import { drawCodes, drawToken } from './codes.ts'
import { linkTo } from './links.ts'

/** Writes a letter and hands it to the mailer. Rejects when a later attempt may succeed. */
export async function deliverMail(ctx: Context, job: MailJob): Promise<void> {
  switch (job.letter) {
    case 'signup':
      return deliverSignup(ctx, job.signupIds)
    case 'password_reset':
      return deliverReset(ctx, job)
    case 'password_changed':
      return deliverPasswordChanged(ctx, job)
  }
}

/**
 * Mails the codes of an email's signups. When the email already has an account, the mail says so instead. The codes are
 * drawn in both cases, so that later answers about them don't tell which mail was sent.
 */
async function deliverSignup(ctx: Context, ids: string[]): Promise<void> {
  const requests = await ctx.db
    .select()
    .from(signups)
    .where(and(inArray(signups.id, ids), gt(signups.expiresAt, sql`now()`)))
    .orderBy(asc(signups.id))
  const newest = requests.at(-1)
  if (!newest) return
  const owner = await findByEmail(ctx, newest.email)
  const codes = await drawCodes(
    ctx,
    signups,
    requests.map(({ id }) => id),
  )
  const mailed = requests.map(({ id, email, username, redirectTo }) => {
    const code = codes.get(id)!
    return { code, username, link: linkTo(redirectTo, email, code) }
  })
  const letter = owner
    ? writeLetter('email_taken', newest.language)
    : writeLetter('signup', newest.language, mailed)
  await send(ctx, newest.email, letter)
}

/** A request for an email without an account gets a code or token too, which is never sent and resets nothing. */
async function deliverReset(
  ctx: Context,
  // A server of an older version enqueued no proof.
  { resetId: id, proof = 'code' }: Extract<MailJob, { letter: 'password_reset' }>,
): Promise<void> {
  const [request] = await ctx.db
    .select()
    .from(passwordResets)
    .where(and(eq(passwordResets.id, id), gt(passwordResets.expiresAt, sql`now()`)))
  if (!request) return
  const { email, redirectTo, language } = request
  const user = await findByEmail(ctx, email)
  const owner = user?.isActive ? user : undefined
  // Only the newest mail is valid, because several valid codes would be easier to guess.
  await ctx.db
    .delete(passwordResets)
    .where(and(eq(passwordResets.emailKey, request.emailKey), lt(passwordResets.id, id)))
  await ctx.db
    .update(passwordResets)
    .set({ userId: owner?.id ?? null })
    .where(eq(passwordResets.id, id))
  const isToken = proof === 'token'
  const code = isToken ? await drawToken(ctx, id) : (await drawCodes(ctx, passwordResets, [id])).get(id)!
  if (!owner) return
  const page = redirectTo ?? (isToken ? ctx.config.passwordResetUrl : undefined)
  const letter = writeLetter(isToken ? 'password_reset_token' : 'password_reset', language, [
    { code, link: linkTo(page ?? null, email, code) },
  ])
  await send(ctx, owner.email, letter)
}

async function deliverPasswordChanged(
  ctx: Context,
  { userId, language }: Extract<MailJob, { letter: 'password_changed' }>,
): Promise<void> {
  const [user] = await ctx.db
    .select({ email: users.email })
    .from(users)
    .where(and(eq(users.id, userId), isNull(users.deletedAt)))
  if (user) await send(ctx, user.email, writeLetter('password_changed', language))
}

async function send(ctx: Context, to: string, letter: Letter): Promise<void> {
  try {
    await ctx.mailer.send({ to, ...letter })
  } catch (error) {
    if (!(error instanceof MailRefused)) throw error
    ctx.log.warn({ reason: error.message }, 'a mail could not be delivered')
  }
}
