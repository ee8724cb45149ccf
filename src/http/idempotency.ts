/** The `Idempotency-Key` of draft-ietf-httpapi-idempotency-key-header-07: docs/design.md, "Repeated requests". */
import type { Tx } from '../core/context.ts'
import { AppError } from '../core/errors.ts'
import { answerOnce, type KeptAnswer } from '../core/idempotency/answers.ts'
import { isJsonObject } from '../util/json.ts'
import type { SignedCall } from './chapter.ts'

/** The field that marks an answer which an earlier request got. */
const REPLAYED = 'idempotency-replayed'
const MAX_LENGTH = 255

/** The fields of request and answer, for the OpenAPI document. */
export const KEY_HEADER = {
  'Idempotency-Key': {
    description:
      'A random key of the request, quoted or bare. The server does the work of requests with one key once, and repeats the answer for 24 hours.',
    schema: { type: 'string', minLength: 1, example: '"8e03978e-40d5-43dd-bc93-6894a57f9324"' },
  },
}
export const REPLAYED_HEADER = {
  'Idempotency-Replayed': {
    description: 'There when an earlier request with the Idempotency-Key got this answer.',
    schema: { type: 'string', enum: ['true'] },
  },
}

const ACCEPTS_KEY = Symbol('accepts an Idempotency-Key')

/** Whether `idempotent` made the handler of a route. */
export const acceptsKey = (handler: unknown): boolean =>
  typeof handler === 'function' && ACCEPTS_KEY in handler

/**
 * Makes a handler that does the work of a request once, however often the client sends it with one `Idempotency-Key`. With a key
 * the handler's `ctx` is a transaction, which is committed with the answer. So the handler must use no other connection, and
 * everything outside of the database has to wait for the commit. The handler answers JSON or nothing; no stream.
 * @param prepare what takes long and needs no transaction, such as the hash of a password: the handler gets its result, and the
 * transaction begins after it. It has no effect
 */
export function idempotent<C extends SignedCall, R>(handler: (call: C) => Promise<R>): (call: C) => Promise<R>
export function idempotent<C extends SignedCall, R, P>(
  handler: Handler<C, R, P>,
  prepare: (call: C) => Promise<P>,
): (call: C) => Promise<R>
export function idempotent<C extends SignedCall, R, P>(
  handler: Handler<C, R, P>,
  prepare?: (call: C) => Promise<P>,
): (call: C) => Promise<R> {
  const keyed = async (call: C): Promise<R> => {
    const key = readKey(call.request)
    if (key === undefined) return handler(call, (await prepare?.(call)) as P)
    return answerKeyed(call, key, handler, prepare)
  }
  return Object.assign(keyed, { [ACCEPTS_KEY]: true })
}

type Handler<C, R, P> = (call: C, prepared: P) => Promise<R>

/** What the wrapper reads of a call besides what every handler reads. */
interface Routed {
  route: string
  params?: unknown
  body?: unknown
}

async function answerKeyed<C extends SignedCall, R, P>(
  call: C,
  key: string,
  handler: Handler<C, R, P>,
  prepare: ((call: C) => Promise<P>) | undefined,
): Promise<R> {
  const { ctx, principal, request, set } = call
  const { route, params, body } = call as unknown as Routed
  const before = { ...set.headers }
  const asked = {
    userId: principal.userId,
    route: `${request.method} ${route}`,
    key,
    content: JSON.stringify([params, body], inOrder),
  }
  const work = async (tx: Tx, prepared: P | undefined): Promise<KeptAnswer> => {
    // Not a copy, because some members of a call are getters.
    const body = await handler(Object.create(call as object, { ctx: { value: tx } }), prepared as P)
    if (body instanceof Response) throw new Error('The answer of an idempotent handler is a Response.')
    const headers = Object.entries(set.headers).filter(([name, value]) => before[name] !== value)
    return { status: Number(set.status ?? 200), headers: Object.fromEntries(headers), body }
  }
  const result = await answerOnce(ctx, asked, { prepare: prepare && (() => prepare(call)), work })
  if ('made' in result) return result.made.body as R
  const { kept } = result
  set.headers[REPLAYED] = 'true'
  if ('error' in kept) throw new AppError(kept.error.code, kept.error)
  set.status = kept.answer.status
  Object.assign(set.headers, kept.answer.headers)
  return kept.answer.body as R
}

/** Equal objects have equal texts, in whatever order a client writes their fields. */
const inOrder = (_: string, value: unknown): unknown =>
  isJsonObject(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value

/** RFC 9651, 3.3.3: visible ASCII and spaces, in quotes; `\"` and `\\` are escapes. */
const QUOTED = /^"((?:[ !#-[\]-~]|\\["\\])*)"$/
/** A key without quotes, as many clients send it. Of two fields with one name the values are joined by commas. */
const BARE = /^[!#-+\--~]+$/

/**
 * Undefined without the field.
 * @throws AppError VALIDATION_FAILED
 */
function readKey(request: Request): string | undefined {
  const field = request.headers.get('idempotency-key')
  if (field === null) return undefined
  const key = QUOTED.exec(field)?.[1]?.replace(/\\(["\\])/g, '$1') ?? BARE.exec(field)?.[0] ?? ''
  if (key.length >= 1 && key.length <= MAX_LENGTH) return key
  const params = { limit: MAX_LENGTH }
  throw new AppError('VALIDATION_FAILED', {
    part: 'query',
    issues: [{ field: 'idempotency-key', rule: 'idempotency_key', params }],
  })
}
