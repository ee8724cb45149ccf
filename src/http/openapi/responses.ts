import { STATUS_CODES } from 'node:http'
import type { TSchema } from '@sinclair/typebox'
import type { ErrorCode, InputPart } from '../../core/errors.ts'
import { closesInMaintenance } from '../maintenance.ts'
import recorded from './examples.json'
import { type AnswerHeaders, LIMIT_FIELDS, withHeaders } from './headers.ts'
import { pascal } from './operation-id.ts'
import type { Access, DescribedRoute, RouteAnswer } from './route.ts'
import type { JsonSchema, SchemaPool } from './schemas.ts'

export interface ResponseObject {
  description: string
  headers?: Record<string, { $ref: string }>
  content?: Record<string, { schema: JsonSchema; example?: unknown }>
  /** OpenAPI cannot say that an answer has a body only sometimes. */
  'x-may-be-empty'?: true
}

const SCHEMES: Record<Exclude<Access, 'anyone'>, string> = {
  user: 'bearerAuth',
  node: 'nodeToken',
  feed: 'feedToken',
}

const accessOf = ({ auth, description }: DescribedRoute): Access[] =>
  description.access ?? [auth === undefined ? 'anyone' : 'user']

/** An empty list: the route needs no sign-in. A list with an empty object: the client may leave the sign-in out. */
export function securityOf(route: DescribedRoute): Record<string, never[]>[] {
  const access = accessOf(route)
  if (access.length === 1 && access[0] === 'anyone') return []
  return access.map((who) => (who === 'anyone' ? {} : { [SCHEMES[who]]: [] }))
}

/** The name for the model of an answer that has none. */
export const answerName = (id: string, status: string): string =>
  `${pascal(id)}Answer${status < '300' ? '' : pascal(STATUS_CODES[status] ?? status)}`

/** Every answer of a route, by status. */
export function responsesOf(
  route: DescribedRoute,
  pool: SchemaPool,
  id: string,
): Record<string, ResponseObject> {
  const { contract, description } = route
  const { status = 200 } = description
  const answers = { ...(description.etag && route.method === 'GET' && NOT_CHANGED), ...description.answers }
  const responses: Record<string, ResponseObject> = { [status]: success(route, pool, id) }
  for (const [other, answer] of Object.entries(answers)) {
    responses[other] = plain(answer, pool, answerName(id, other))
  }
  const errors = new Map<number, Set<string>>()
  for (const [status, code] of errorsOf(route)) {
    if (!responses[status] || answers[status]?.besideErrors)
      errors.set(status, (errors.get(status) ?? new Set()).add(code))
  }
  for (const [status, codes] of errors) {
    const own = responses[status]
    const schema = pool.add(contract.errorModel, `${pascal(contract.name)}Error`)
    const content = { [contract.errorContentType]: { schema }, ...own?.content }
    const answer = { description: [...codes].join(', '), ...own, content }
    responses[status] = withHeaders(answer, headersOfError(status))
  }
  return Object.fromEntries(
    Object.entries(responses).map(([status, response]) => [
      status,
      withHeaders(response, impliedHeaders(route, Number(status))),
    ]),
  )
}

/** The header fields that follow from a route's options. */
function impliedHeaders({ description, takesKey }: DescribedRoute, status: number): AnswerHeaders {
  const isError = status >= 400
  const { etag, limit, errorHeaders } = description
  return {
    ...(etag && !isError && { ETag: 'always' }),
    ...(takesKey && { 'Idempotency-Replayed': 'sometimes' }),
    // Errors have them too. The document shows them where clients need them.
    ...(limit && !isError && LIMIT_FIELDS),
    ...(isError && errorHeaders),
  }
}

/** The header fields of errors with this status. An answer that stands in place of errors has none of them. */
export function headersOfError(status: number): AnswerHeaders {
  if (status === 401) return { 'WWW-Authenticate': 'always' }
  if (status === 429) return { 'Retry-After': 'sometimes', ...LIMIT_FIELDS }
  return status === 503 ? { 'Retry-After': 'always' } : {}
}

const NOT_CHANGED: Record<number, RouteAnswer> = {
  304: { description: 'Not changed since the ETag of If-None-Match' },
}

/** Answers of real servers: `bun run docs:examples`. By contract and operation. */
const EXAMPLES: Record<string, Record<string, unknown>> = recorded

function success({ contract, description }: DescribedRoute, pool: SchemaPool, id: string): ResponseObject {
  const { response, contentType, headers, streams, mayBeEmpty } = description
  const answer = plain({ description: 'Success', response, contentType, headers }, pool, answerName(id, ''))
  const json = answer.content?.['application/json']
  const example = EXAMPLES[contract.name]?.[id]
  if (json && example !== undefined) json.example = example
  if (mayBeEmpty) answer['x-may-be-empty'] = true
  if (streams) answer.content = { ...answer.content, 'text/event-stream': { schema: { type: 'string' } } }
  return answer
}

function plain(
  { description, response, contentType, headers = {} }: RouteAnswer,
  pool: SchemaPool,
  place: string,
): ResponseObject {
  const content = response && { [contentType ?? 'application/json']: { schema: pool.add(response, place) } }
  return withHeaders({ description, ...(content && { content }) }, headers)
}

/** Status and code of each error that a route can answer: errors that it declares, and errors that follow from its options. */
function* errorsOf(route: DescribedRoute): Generator<readonly [status: number, code: string]> {
  const { contract, description, auth, takesKey, body } = route
  const declared = description.errors ?? []
  const codes = new Set<ErrorCode>()
  const access = accessOf(route)
  if (access.some((who) => who === 'user' || who === 'node') && !access.includes('anyone')) {
    codes.add('AUTHENTICATION_REQUIRED')
  }
  if (typeof auth === 'string') codes.add('PERMISSION_DENIED')
  for (const code of declared) if (code !== 'VALIDATION_FAILED') codes.add(code)
  if (access.includes('user')) {
    for (const code of ['INVALID_TOKEN', 'TOKEN_EXPIRED', 'INACTIVE_USER'] as const) codes.add(code)
  }
  if (body) codes.add('PAYLOAD_TOO_LARGE')
  if (closesInMaintenance(route.method, description)) codes.add('MAINTENANCE')
  if (takesKey)
    for (const code of ['IDEMPOTENCY_KEY_REUSED', 'IDEMPOTENCY_KEY_IN_USE'] as const) codes.add(code)
  for (const code of [...codes, 'DATABASE_UNAVAILABLE', 'INTERNAL'] as const) yield contract.errors[code]
  const parts = checkedParts(route)
  if (parts.length === 0 && declared.includes('VALIDATION_FAILED')) parts.push('body')
  const [status, code] = contract.errors.VALIDATION_FAILED
  for (const part of parts) yield [contract.validationStatus?.(part) ?? status, code]
}

/** The parts of a request that can be invalid. */
function checkedParts({ body, query, params, takesKey, description }: DescribedRoute): InputPart[] {
  const parts: InputPart[] = []
  if (body || description.multipart || description.bytes) parts.push('body')
  if (query || takesKey) parts.push('query')
  if (params && Object.values(params.properties as Record<string, TSchema>).some(canBeWrong))
    parts.push('params')
  return parts
}

/** A string without a further rule is always valid. */
const canBeWrong = (schema: TSchema) => schema.type !== 'string' || Object.keys(schema).length > 1
