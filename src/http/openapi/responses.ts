import { STATUS_CODES } from 'node:http'
import type { TSchema } from '@sinclair/typebox'
import type { ErrorCode, InputPart } from '../../core/errors.ts'
import { REPLAYED_HEADER } from '../idempotency.ts'
import { LIMIT_HEADERS } from '../limit-fields.ts'
import { closesInMaintenance } from '../maintenance.ts'
import recorded from './examples.json'
import { pascal } from './operation-id.ts'
import type { Access, DescribedRoute, RouteAnswer } from './route.ts'
import type { JsonSchema, SchemaPool } from './schemas.ts'

export interface HeaderObject {
  description: string
  schema: JsonSchema
}

export interface ResponseObject {
  description: string
  headers?: Record<string, HeaderObject | { $ref: string }>
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
  const { status = 200, answers = {} } = description
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
    responses[status] = {
      description: own?.description ?? [...codes].join(', '),
      ...(RETRIED.has(status) && { headers: { ...RETRY_AFTER } }),
      content: {
        [contract.errorContentType]: {
          schema: pool.add(contract.errorModel, `${pascal(contract.name)}Error`),
        },
        ...own?.content,
      },
    }
  }
  if (route.takesKey) {
    const [name] = Object.keys(REPLAYED_HEADER)
    const kept = responses[status]!
    kept.headers = { ...kept.headers, [name!]: { $ref: `#/components/headers/${name}` } }
  }
  if (description.limit) {
    for (const [status, response] of Object.entries(responses))
      if (status < '400' || status === '429') response.headers = { ...response.headers, ...LIMIT_REFERENCES }
  }
  return responses
}

/** Every answer of a route with a limit has these fields. The document shows them where clients need them. */
const LIMIT_REFERENCES = Object.fromEntries(
  Object.keys(LIMIT_HEADERS).map((name) => [name, { $ref: `#/components/headers/${name}` }]),
)

/** Answers of real servers: `bun run docs:examples`. By contract and operation. */
const EXAMPLES: Record<string, Record<string, unknown>> = recorded

function success({ contract, description }: DescribedRoute, pool: SchemaPool, id: string): ResponseObject {
  const { response, contentType, streams, mayBeEmpty } = description
  const answer = plain(
    { description: 'Success', ...(response && { response }), ...(contentType && { contentType }) },
    pool,
    answerName(id, ''),
  )
  const json = answer.content?.['application/json']
  const example = EXAMPLES[contract.name]?.[id]
  if (json && example !== undefined) json.example = example
  if (mayBeEmpty) answer['x-may-be-empty'] = true
  if (streams) answer.content = { ...answer.content, 'text/event-stream': { schema: { type: 'string' } } }
  return answer
}

function plain(
  { description, response, contentType }: RouteAnswer,
  pool: SchemaPool,
  place: string,
): ResponseObject {
  const content = response && { [contentType ?? 'application/json']: { schema: pool.add(response, place) } }
  return content ? { description, content } : { description }
}

const RETRIED = new Set([429, 503])
const RETRY_AFTER = { 'Retry-After': { description: 'Seconds.', schema: { type: 'integer' } } }

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
