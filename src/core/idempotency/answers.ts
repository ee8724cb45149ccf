/** Answers to requests with an `Idempotency-Key`: docs/design.md, "Repeated requests". */
import { and, eq, type SQL, sql } from 'drizzle-orm'
import { idempotencyKeys, users } from '../../db/schema/index.ts'
import { trim } from '../../db/trim.ts'
import { parseJson } from '../../util/json.ts'
import type { Context, Tx } from '../context.ts'
import { ERRORS, RULES } from '../errors/catalogue.ts'
import type { ErrorKind } from '../errors/define.ts'
import { AppError } from '../errors.ts'
import { transaction } from '../transaction.ts'
import type { KeyedRequest } from './running-keys.ts'

/** The answer to a request that succeeded. */
export interface KeptAnswer {
  status: number
  /** The header fields that the handler has set. */
  headers: Record<string, string | number | undefined>
  /** Undefined: the answer has no body. */
  body?: unknown
}

/** How a request is carried out. */
export interface Steps<P> {
  /** What takes long and needs no transaction, so that it holds no connection. It has no effect. */
  prepare?: (() => Promise<P>) | undefined
  /** May run more than once. It uses no connection but that of its transaction. */
  work: (tx: Tx, prepared: P | undefined) => Promise<KeptAnswer>
}

/** What became of a request: its answer, or what its error says. */
export type Kept = { answer: KeptAnswer } | { error: KeptError }

type KeptError = Pick<AppError, 'code' | 'params' | 'issues' | 'part'>

const PURPOSE = 'idempotency'

/**
 * Does the work of a request, or gives the answer that an earlier request with the same key got. The work and its answer are
 * committed in one transaction, so a server that is killed leaves both or none, and no key that stays in use. An error that the
 * same request would get again is kept too. After any other error, and one of `prepare`, the key is free.
 * @returns the answer, or what is kept of the earlier request
 * @throws AppError IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_KEY_IN_USE, and as the steps
 */
export async function answerOnce<P>(
  ctx: Context,
  request: KeyedRequest,
  steps: Steps<P>,
): Promise<{ made: KeptAnswer } | { kept: Kept }> {
  using taken = ctx.services.runningKeys.take(request)
  const made = taken && (await firstAnswer(ctx, request, steps))
  return made ? { made } : { kept: await readKept(ctx, request) }
}

/** Undefined when the key has an answer, or when another server is making it. */
async function firstAnswer<P>(
  ctx: Context,
  request: KeyedRequest,
  { prepare, work }: Steps<P>,
): Promise<KeptAnswer | undefined> {
  if (prepare && (await read(ctx, request))) return undefined
  const prepared = await prepare?.()
  let failure: unknown
  try {
    return await transaction(ctx, async (tx) => {
      // In this order on one connection: the query sees what the holder of the lock before this one has committed.
      const [isFree, kept] = await Promise.all([lock(tx, request), read(tx, request)])
      if (!isFree || kept) return undefined
      const answer = await work(tx, prepared).catch((error) => {
        failure = error
        throw error
      })
      await keep(tx, request, { answer })
      return answer
    })
  } catch (error) {
    if (error === failure && error instanceof AppError && isFinal(error)) await keepError(ctx, request, error)
    throw error
  }
}

/**
 * The lock is free again at the end of the transaction, also when the server is killed. The statement locks the user as well, as
 * the insert of the answer does (`refuse_deleted_owner`): behind what the work locks, that lock could deadlock with a change of
 * the user's balance.
 */
async function lock(tx: Tx, { userId, route, key }: KeyedRequest): Promise<boolean> {
  const name = JSON.stringify(['idempotency', userId, route, key])
  const [row] = await tx.db.execute(
    sql`select pg_try_advisory_xact_lock(hashtextextended(${name}, 0)) as taken from ${users} where id = ${userId} for key share`,
  )
  return row!.taken as boolean
}

const isRow = ({ userId, route, key }: KeyedRequest): SQL | undefined =>
  and(eq(idempotencyKeys.userId, userId), eq(idempotencyKeys.route, route), eq(idempotencyKeys.key, key))

/** Undefined when the key is free. `reused`: it was used for another request. */
async function read(ctx: Context | Tx, request: KeyedRequest): Promise<Kept | 'reused' | undefined> {
  const [row] = await ctx.db
    .select({ fingerprint: idempotencyKeys.fingerprint, answer: idempotencyKeys.answerSealed })
    .from(idempotencyKeys)
    .where(isRow(request))
  if (!row) return undefined
  // Its key is the server's secret, so after a change of the secret every key counts as used for another request.
  if (row.fingerprint !== fingerprintOf(ctx, request)) return 'reused'
  const kept = parseJson(ctx.sealed.open(PURPOSE, row.answer)!) as Kept
  return 'error' in kept && !isKnown(kept.error) ? undefined : kept
}

/** Another version may have kept an error that this one cannot show. As nothing was done, the request may do its work again. */
const isKnown = ({ code, issues }: KeptError): boolean =>
  Object.hasOwn(ERRORS, code) && issues.every(({ rule }) => Object.hasOwn(RULES, rule))

async function readKept(ctx: Context, request: KeyedRequest): Promise<Kept> {
  const kept = await read(ctx, request)
  if (!kept) throw new AppError('IDEMPOTENCY_KEY_IN_USE')
  if (kept === 'reused') throw new AppError('IDEMPOTENCY_KEY_REUSED')
  return kept
}

const fingerprintOf = (ctx: Context | Tx, { content }: KeyedRequest): string =>
  ctx.keyedHash(PURPOSE, content)

async function keep(tx: Tx, request: KeyedRequest, kept: Kept): Promise<void> {
  const { userId, route, key } = request
  const answer = {
    fingerprint: fingerprintOf(tx, request),
    answerSealed: tx.sealed.seal(PURPOSE, JSON.stringify(kept)),
    createdAt: sql`now()`,
  }
  await tx.db
    .insert(idempotencyKeys)
    .values({ userId, route, key, ...answer })
    // The row of an error that this version does not know.
    .onConflictDoUpdate({
      target: [idempotencyKeys.userId, idempotencyKeys.route, idempotencyKeys.key],
      set: answer,
    })
}

/**
 * Keeps an error after the work has been rolled back, unless another server has begun the same request meanwhile. When this
 * fails, the client still gets its error, and the same request does the work again.
 */
async function keepError(ctx: Context, request: KeyedRequest, error: AppError): Promise<void> {
  const { code, params, issues, part } = error
  try {
    await transaction(ctx, async (tx) => {
      const [isFree, kept] = await Promise.all([lock(tx, request), read(tx, request)])
      if (isFree && !kept) await keep(tx, request, { error: { code, params, issues, part } })
    })
  } catch (err) {
    ctx.log.warn({ err }, 'the error of a request with a key could not be kept')
  }
}

/** Whether the same request would get the same error. Errors of the other kinds pass, or say nothing about the work. */
const isFinal = ({ code }: AppError): boolean => !PASSING.has(ERRORS[code].kind)

const PASSING: ReadonlySet<ErrorKind> = new Set([
  'unauthenticated',
  'limited',
  'timeout',
  'closed',
  'unavailable',
  'failed',
  'internal',
])

const KEEP_HOURS = 24

/** Deletes answers that are older than 24 hours. */
export const trimAnswers = (ctx: Context): Promise<number> =>
  trim(
    ctx.db,
    idempotencyKeys,
    sql`select ctid from ${idempotencyKeys} where created_at < now() - make_interval(hours => ${KEEP_HOURS})`,
  )
