/** The codes that mails carry: 6 digits, for 10 minutes, for one use, void after 5 wrong tries (DESIGN 2, runtime). */
import { randomInt, timingSafeEqual } from 'node:crypto'
import { and, asc, gt, inArray, lt, type SQL, sql } from 'drizzle-orm'
import { passwordResets, signups } from '../../db/schema/index.ts'
import { trim } from '../../db/trim.ts'
import type { Core, Tx } from '../context.ts'
import { keyOf, type Limit, throttle } from '../throttle.ts'

export const CODE_MINUTES = 10
const MAX_WRONG_TRIES = 5
const HOUR_MS = 3_600_000

/** The tables whose rows are answered by a code. */
type Coded = typeof signups | typeof passwordResets
type Purpose = 'signup' | 'password_reset'

/**
 * Before anybody gets a mail: nobody's mailbox is flooded, and codes are not drawn until one is guessed.
 * @throws AppError RATE_LIMITED
 */
export const throttleMails = (ctx: Core, purpose: Purpose, email: string, ip: string): Promise<void> =>
  throttle(ctx, limits(`mail:${purpose}`, email, ip, { perEmail: 5, perAddress: 30 }))

/**
 * Before a code is looked at, right or wrong: tries at once must all have been counted.
 * @throws AppError RATE_LIMITED
 */
export const throttleTries = (ctx: Core, purpose: Purpose, email: string, ip: string): Promise<void> =>
  throttle(ctx, limits(`code:${purpose}`, email, ip, { perEmail: 10, perAddress: 100 }))

const limits = (
  what: string,
  email: string,
  ip: string,
  max: Record<'perEmail' | 'perAddress', number>,
): Limit[] => [
  { key: `${what}:email:${keyOf(email)}`, max: max.perEmail, windowMs: HOUR_MS },
  { key: `${what}:ip:${ip}`, max: max.perAddress, windowMs: HOUR_MS },
]

/** The requests of an email that have not expired, oldest first. */
export const requestsOf = (table: Coded, email: string): SQL =>
  and(sql`lower(${table.email}) = lower(${email})`, gt(table.expiresAt, sql`now()`))!

/** Makes a new code for each row, in place of its old one. */
export async function drawCodes(ctx: Core, table: Coded, ids: string[]): Promise<Map<string, string>> {
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
export async function trimCodes(ctx: Core): Promise<number> {
  const expired = (table: Coded) =>
    trim(ctx.db, table, sql`select ctid from ${table} where ${lt(table.expiresAt, sql`now()`)}`)
  return (await expired(signups)) + (await expired(passwordResets))
}

const hashOf = (ctx: Core, id: string, code: string): string => ctx.keyedHash('mailed-code', `${id}:${code}`)

const equal = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
