/** The codes in mails: docs/contracts/runtime.md, "Codes". */
import { randomInt, timingSafeEqual } from 'node:crypto'
import { and, asc, eq, gt, inArray, lt, type SQL, sql } from 'drizzle-orm'
import { passwordResets, signups } from '../../db/schema/index.ts'
import { trim } from '../../db/trim.ts'
import { foldCase } from '../../util/fold.ts'
import type { Context, Tx } from '../context.ts'
import { CODE_MINUTES } from '../mail/letters.ts'
import { keyOf, networkOf } from '../rate-limits/keys.ts'
import { enforceFailureLimits, enforceLimits } from '../rate-limits/rate-limits.ts'

const MAX_WRONG_TRIES = 5
const HOUR_MS = 3_600_000

/** The tables whose rows are answered by a code. */
type Coded = typeof signups | typeof passwordResets
type Purpose = 'signup' | 'password_reset'

/**
 * Before anybody gets a mail: nobody's mailbox is flooded, and codes are not drawn until one is guessed. Whoever asks
 * for an email from elsewhere leaves its owner some.
 * @throws AppError RATE_LIMITED
 */
export const enforceMailLimits = (
  ctx: Context,
  purpose: Purpose,
  email: string,
  ip: string,
): Promise<void> => {
  const key = (what: string) => `mail:${purpose}:${what}`
  const [network, name] = [networkOf(ip), keyOf(email)]
  return enforceLimits(ctx, [
    { key: key(`both:${network}:${name}`), max: 5, windowMs: HOUR_MS },
    { key: key(`ip:${network}`), max: 30, windowMs: HOUR_MS },
    { key: key(`email:${name}`), max: 15, windowMs: HOUR_MS },
  ])
}

/**
 * Looks at a code. Wrong ones count against the address that they come from; what an email may be tried in all is bounded
 * by the tries that each of its codes has, and by the codes that it is sent. So strangers can end a code, an address
 * fewer of them than the owner may ask for, but they can't keep the owner from using a new one.
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
    { key: `code:${purpose}:both:${network}:${keyOf(email)}`, max: 20, windowMs: HOUR_MS },
    { key: `code:${purpose}:ip:${network}`, max: 100, windowMs: HOUR_MS },
  ]
  return enforceFailureLimits(ctx, limits, attempt)
}

/** The requests of an email that have not expired, oldest first. */
export const requestsOf = (table: Coded, email: string): SQL =>
  and(eq(table.emailKey, foldCase(email)), gt(table.expiresAt, sql`now()`))!

/** Makes a new code for each row, in place of its old one. */
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

/**
 * Finds whose code this is among the requests of an email, and locks them all. A wrong one counts against every code
 * that it could have been: a caller must let that commit.
 */
export async function findByCode<T extends Coded>(
  tx: Tx,
  table: T,
  email: string,
  code: string,
): Promise<T['$inferSelect'] | undefined> {
  // The columns that are used here are the same in both tables.
  const coded = table as typeof signups
  const live = await tx.db
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
  const found = live.find(({ id, codeHash }) => codeHash && equal(codeHash, hashOf(tx, id, code)))
  if (!found && live.length > 0) {
    await tx.db
      .update(coded)
      .set({ wrongTries: sql`${coded.wrongTries} + 1` })
      .where(
        inArray(
          coded.id,
          live.map(({ id }) => id),
        ),
      )
  }
  return found
}

/** Forgets the requests that have expired. */
export async function trimCodes(ctx: Context): Promise<number> {
  const expired = (table: Coded) =>
    trim(ctx.db, table, sql`select ctid from ${table} where ${lt(table.expiresAt, sql`now()`)}`)
  return (await expired(signups)) + (await expired(passwordResets))
}

const hashOf = (ctx: Context, id: string, code: string): string =>
  ctx.keyedHash('mailed-code', `${id}:${code}`)

const equal = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
