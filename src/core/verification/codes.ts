/** The codes in mails: docs/contracts/runtime.md, "Codes". */
import { randomInt } from 'node:crypto'
import { and, asc, eq, gt, inArray, lt, type SQL, sql } from 'drizzle-orm'
import { passwordResets, signups } from '../../db/schema/index.ts'
import { trim } from '../../db/trim.ts'
import { foldCase, tidyAscii } from '../../util/fold.ts'
import { isSameSecret, randomSecret, sha256 } from '../../util/secrets.ts'
import { auditAlone, type Client } from '../audit/audit.ts'
import type { Context, Tx } from '../context.ts'
import { AppError } from '../errors.ts'
import { type MailJob, mailHandle } from '../mail/job-handle.ts'
import { CODE_MINUTES, TOKEN_MINUTES } from '../mail/letters.ts'
import { keyOf, networkOf } from '../rate-limits/keys.ts'
import { enforceFailureLimits, enforceLimits } from '../rate-limits/rate-limits.ts'

const MAX_WRONG_TRIES = 5
const HOUR_MS = 3_600_000

/** The tables of requests that are confirmed with a code. */
type Coded = typeof signups | typeof passwordResets
type Purpose = 'signup' | 'password_reset'

/** As it stands in the names of limits. */
const nameOf = (purpose: Purpose): string => purpose.replace('_', '-')

/**
 * Limits the mails with codes, so that nobody can flood a mailbox, or ask for new codes until one is guessed. The limit
 * of one network is lower than that of the email, so that a stranger can't use up the mails of the owner.
 * @throws AppError RATE_LIMITED
 */
export const enforceMailLimits = (
  ctx: Context,
  purpose: Purpose,
  email: string,
  ip: string,
): Promise<void> => {
  const policy = (of: string) => `${nameOf(purpose)}-mail${of}`
  const [network, name] = [networkOf(ip), keyOf(email)]
  return enforceLimits(ctx, [
    { policy: policy('-network-email'), key: `${network}:${name}`, max: 5, windowMs: HOUR_MS },
    { policy: policy('-network'), key: network, max: 30, windowMs: HOUR_MS },
    { policy: policy('-email'), key: name, max: 15, windowMs: HOUR_MS },
  ])
}

/**
 * Requests a mail with codes. The mails to one email are written and sent one after the other, so that the one that comes
 * last has the valid code.
 */
export const enqueueCodes = async (tx: Tx, email: string, job: MailJob): Promise<void> =>
  void (await tx.queue.enqueue(tx, mailHandle, job, { turn: keyOf(email) }))

/**
 * Runs a check of a code. A wrong code counts against the network that it comes from, and not against the email:
 * each code allows only a few wrong tries, and the number of codes is limited too. So a stranger can void a code, but
 * can't keep the owner from asking for a new one and using it.
 * @throws AppError RATE_LIMITED
 */
export const enforceCodeLimits = <T>(
  ctx: Context,
  purpose: Purpose,
  email: string,
  ip: string,
  attempt: () => Promise<T | undefined>,
): Promise<T | undefined> => {
  const network = networkOf(ip)
  const limits = [
    {
      policy: `${nameOf(purpose)}-code-email`,
      key: `${network}:${keyOf(email)}`,
      max: 20,
      windowMs: HOUR_MS,
    },
    { policy: `${nameOf(purpose)}-code`, key: network, max: 100, windowMs: HOUR_MS },
  ]
  return enforceFailureLimits(ctx, limits, attempt)
}

/**
 * Runs a check of a token. Nobody can guess one, so the limit only spares the database.
 * @throws AppError RATE_LIMITED
 */
export const enforceTokenLimits = <T>(
  ctx: Context,
  ip: string,
  attempt: () => Promise<T | undefined>,
): Promise<T | undefined> =>
  enforceFailureLimits(
    ctx,
    [{ policy: 'password-reset-token', key: networkOf(ip), max: 100, windowMs: HOUR_MS }],
    attempt,
  )

/** The condition for the requests of an email that have not expired. */
export const requestsOf = (table: Coded, email: string): SQL =>
  and(eq(table.emailKey, foldCase(email)), gt(table.expiresAt, sql`now()`))!

/** Replaces the code of each row by a new random one. @returns the codes by the ids of their rows */
export async function drawCodes(ctx: Context, table: Coded, ids: string[]): Promise<Map<string, string>> {
  const codes = new Map(ids.map((id) => [id, String(randomInt(1_000_000)).padStart(6, '0')]))
  const hashes = [...codes].map(([id, code]) => ({ id, hash: hashOf(ctx, id, code) }))
  const drawn = sql`jsonb_to_recordset(${JSON.stringify(hashes)}::jsonb) as drawn(id uuid, hash text)`
  await ctx.db
    .update(table)
    .set({
      codeHash: sql`(select drawn.hash from ${drawn} where drawn.id = ${table.id})`,
      codeExpiresAt: sql`now() + make_interval(mins => ${CODE_MINUTES})`,
      wrongTries: 0,
    })
    .where(inArray(table.id, ids))
  return codes
}

/** Gives a password reset a new random token, of which the database keeps only the hash. */
export async function drawToken({ db }: Context, id: string): Promise<string> {
  const token = randomSecret('reset')
  await db
    .update(passwordResets)
    .set({
      codeHash: sha256(token),
      codeExpiresAt: sql`now() + make_interval(mins => ${TOKEN_MINUTES})`,
      wrongTries: 0,
    })
    .where(eq(passwordResets.id, id))
  return token
}

/**
 * Finds the request of an email that has this code, and locks all requests of the email. A wrong code counts as a wrong
 * try of each of them, so the caller must let the transaction commit.
 */
export async function findByCode<T extends Coded>(
  tx: Tx,
  table: T,
  email: string,
  code: string,
): Promise<T['$inferSelect'] | undefined> {
  // The columns that are used here are the same in both tables.
  const coded = table as typeof signups
  const open = await tx.db
    .select()
    .from(coded)
    .where(
      and(
        requestsOf(coded, email),
        gt(coded.codeExpiresAt, sql`now()`),
        lt(coded.wrongTries, MAX_WRONG_TRIES),
      ),
    )
    .orderBy(asc(coded.id))
    .for('update')
  const found = open.find(({ id, codeHash }) => codeHash && isSameSecret(codeHash, hashOf(tx, id, code)))
  if (!found && open.length > 0) {
    await tx.db
      .update(coded)
      .set({ wrongTries: sql`${coded.wrongTries} + 1` })
      .where(
        inArray(
          coded.id,
          open.map(({ id }) => id),
        ),
      )
  }
  return found
}

/** Records a wrong code. @returns the error for the client */
export async function wrongCode(
  ctx: Context,
  client: Client,
  purpose: Purpose,
  email: string,
): Promise<AppError> {
  await auditAlone(ctx, { client }, { action: `${purpose}.failed`, details: { email: tidyAscii(email) } })
  return new AppError('INVALID_CODE')
}

/** Deletes the requests that have expired. */
export async function trimCodes(ctx: Context): Promise<number> {
  const expired = (table: Coded) =>
    trim(ctx.db, table, sql`select ctid from ${table} where ${lt(table.expiresAt, sql`now()`)}`)
  return (await expired(signups)) + (await expired(passwordResets))
}

const hashOf = (ctx: Context, id: string, code: string): string =>
  ctx.keyedHash('mailed-code', `${id}:${code}`)
