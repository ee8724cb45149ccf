/** The `Idempotency-Key` of draft-ietf-httpapi-idempotency-key-header-07: docs/design.md, "Repeated requests". */
import { AppError } from '../core/errors.ts'
import { answerOnce } from '../core/idempotency/answers.ts'
import type { SignedCall } from './chapter.ts'

/** The field that marks an answer which an earlier request got. */
export const REPLAYED = 'idempotency-replayed'

const ACCEPTS_KEY = Symbol('accepts an Idempotency-Key')

/** Whether `idempotent` made the handler of a route. */
export const acceptsKey = (handler: unknown): boolean =>
  typeof handler === 'function' && ACCEPTS_KEY in handler

/**
 * Makes a handler that does the work of a request once, however often the client sends it with one `Idempotency-Key`. With a key
 * the handler's `ctx` is a transaction, which is committed with the answer. So the handler must use no other connection, and
 * everything outside of the database has to wait for the commit. The handler answers JSON or nothing; no stream.
 */
export function idempotent<C extends SignedCall, R>(
  handler: (call: C) => Promise<R>,
): (call: C) => Promise<R> {
  const keyed = async (call: C): Promise<R> => {
    const key = readKey(call.request)
    return key === undefined ? handler(call) : answerKeyed(call, key, handler)
  }
  return Object.assign(keyed, { [ACCEPTS_KEY]: true })
}

/** What the wrapper reads of a call besides what every handler reads. */
interface Routed {
  route: string
  params?: unknown
  body?: unknown
}

async function answerKeyed<C extends SignedCall, R>(
  call: C,
  key: string,
  handler: (call: C) => Promise<R>,
): Promise<R> {
  const { ctx, principal, request, set } = call
  const { route, params, body } = call as unknown as Routed
  const before = { ...set.headers }
  const asked = {
    userId: principal.userId,
    route: `${request.method} ${route}`,
    key,
    content: JSON.stringify([params, body]),
  }
  const { answer, replayed } = await answerOnce(ctx, asked, async (tx) => {
    // Not a copy, because some members of a call are getters.
    const body = await handler(Object.create(call as object, { ctx: { value: tx } }))
    if (body instanceof Response) throw new Error('The answer of an idempotent handler is a Response.')
    const headers = Object.entries(set.headers).filter(([name, value]) => before[name] !== value)
    return { status: Number(set.status ?? 200), headers: Object.fromEntries(headers), body }
  })
  if (replayed) {
    set.status = answer.status
    Object.assign(set.headers, answer.headers, { [REPLAYED]: 'true' })
  }
  return answer.body as R
}

const MAX_LENGTH = 255
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
