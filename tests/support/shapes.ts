import { expect } from 'bun:test'
import type { Answer } from './api.ts'

/** What a document says of a value: the name of a type, `a|b` for either, an object, or an array of one shape. */
export type Shape = string | readonly [Shape] | { readonly [field: string]: Shape }

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

const TYPES: Record<string, (value: unknown) => boolean> = {
  string: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  integer: (value) => Number.isInteger(value),
  /** A JSON number of whole cents. */
  money: (value) => typeof value === 'number' && Math.abs(value * 100 - Math.round(value * 100)) < 1e-6,
  boolean: (value) => typeof value === 'boolean',
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  array: (value) => Array.isArray(value),
  null: (value) => value === null,
  true: (value) => value === true,
  false: (value) => value === false,
  uuid: (value) => UUID.test(String(value)),
  jwt: (value) => /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/.test(String(value)),
  /** RFC 3339 in UTC: docs/design.md, "Time". */
  instant: (value) => INSTANT.test(String(value)) && !Number.isNaN(Date.parse(String(value))),
}

/** Every difference between a value and its documented shape: docs/design.md, "Documented requests". */
export function misfits(value: unknown, shape: Shape, path = ''): string[] {
  if (typeof shape === 'string') {
    const fits = shape.split('|').some((type) => (TYPES[type] ?? unknownType(type))(value))
    return fits ? [] : [`${path || 'the answer'} is ${JSON.stringify(value)}, not ${shape}`]
  }
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) return [`${path} is not an array`]
    return value.flatMap((item, i) => misfits(item, shape[0], `${path}[${i}]`))
  }
  if (!TYPES.object!(value)) return [`${path || 'the answer'} is not an object`]
  const fields = value as Record<string, unknown>
  return Object.entries(shape).flatMap(([field, inner]) =>
    field in fields ? misfits(fields[field], inner, `${path}.${field}`) : [`${path}.${field} is missing`],
  )
}

const unknownType = (type: string) => {
  throw new Error(`no type ${type}`)
}

/** The answer has this status and every documented field with its documented type. */
export function expectAnswer(answer: Answer, status: number, shape: Shape): void {
  expect(answer.status, answer.text.slice(0, 500)).toBe(status)
  expect(answer.headers.get('content-type')).toMatch(/^application\/json(;charset=utf-8)?$/)
  expect(misfits(answer.body, shape)).toEqual([])
}

/** Nothing of this may stand anywhere in the answer: neither in its text nor as the name of a field. */
export function expectWithout(answer: { text: string }, ...secrets: string[]): void {
  for (const secret of secrets) expect(answer.text).not.toContain(secret)
}

/** Names of fields that no answer of any contract may ever have. */
export const NEVER_SHOWN = [
  'password',
  'password_hash',
  'passwordHash',
  'token_hash',
  'tokenHash',
  'heldMinor',
  'balanceMinor',
]

/** The envelope around `data`: docs/contracts/factory.md, "Conventions". */
export const enveloped = <T extends Shape>(data: T) =>
  ({ success: 'true', message: 'string', data, error_code: 'null' }) as const

export interface ErrorCase {
  status: number
  code: string
  /** Fields that the details name, and no others. */
  fields?: string[]
}

/** docs/contracts/factory.md, "Errors". */
export function expectFactoryError(answer: Answer, { status, code, fields }: ErrorCase): void {
  expect(answer.status, answer.text.slice(0, 500)).toBe(status)
  expect(answer.headers.get('content-type')).toBe('application/json')
  expect(
    misfits(answer.body, {
      success: 'false',
      message: 'string',
      error_code: 'string',
      details: 'object',
      detail: 'string',
    }),
  ).toEqual([])
  expect(answer.body.error_code).toBe(code)
  if (fields) expect(Object.keys(answer.body.details.field_errors).sort()).toEqual([...fields].sort())
  expectNoInternals(answer)
}

/** docs/contracts/learning.md, "Errors", with the members of RFC 9457. */
export function expectLearningError(
  answer: Answer,
  { status, code, fields }: ErrorCase,
  contentType = 'application/json',
): void {
  expect(answer.status, answer.text.slice(0, 500)).toBe(status)
  expect(answer.headers.get('content-type')).toBe(contentType)
  expect(
    misfits(answer.body, {
      error: { code: 'string', message: 'string', details: 'object' },
      type: 'string',
      title: 'string',
      status: 'integer',
      detail: 'string',
      instance: 'string',
    }),
  ).toEqual([])
  expect(answer.body).toMatchObject({ status, error: { code } })
  if (fields) expect(Object.keys(answer.body.error.details).sort()).toEqual([...fields].sort())
  expectNoInternals(answer)
}

/** docs/contracts/runtime.md, "Sessions": the answer to a sign-in, a refresh and a finished sign-up. */
export const RUNTIME_SESSION = {
  access_token: 'jwt',
  refresh_token: 'string',
  expires_in: 'integer',
  token_type: 'string',
  user: { id: 'uuid', email: 'string' },
} satisfies Shape

/** docs/contracts/runtime.md, "Errors". */
export const expectRuntimeError = (answer: Answer, error: ErrorCase): void =>
  expectLearningError(answer, error, 'application/problem+json')

/** RFC 9457 alone, of routes outside of the contracts. */
export function expectProblem(answer: Answer, status: number): void {
  expect(answer.status, answer.text.slice(0, 500)).toBe(status)
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(answer.body).toMatchObject({ type: expect.any(String), title: expect.any(String), status })
  expectNoInternals(answer)
}

/** docs/contracts/portfolio.md, "Errors". `fields` are those of wrong input. */
export function expectPortfolioError(answer: Answer, { status, code, fields }: ErrorCase): void {
  expect(answer.status, answer.text.slice(0, 500)).toBe(status)
  expect(answer.headers.get('content-type')).toBe('application/json')
  expect(
    misfits(answer.body, {
      success: 'false',
      code: 'integer',
      message: 'string',
      error: { type: 'string', details: 'object|array' },
      meta: { timestamp: 'instant', request_id: 'string' },
    }),
  ).toEqual([])
  expect(answer.body).toMatchObject({ code: status, error: { type: code } })
  expect(answer.headers.get('api-version')).toBe('1.0')
  expect(answer.headers.get('cache-control')).toBe('private, no-cache')
  expect(answer.headers.get('x-request-id')).toBe(answer.body.meta.request_id)
  const { details } = answer.body.error
  expect(Array.isArray(details)).toBe(code === 'VALIDATION_ERROR')
  if (fields) expect(details.map(({ field }: { field: string }) => field).sort()).toEqual([...fields].sort())
  expectNoInternals(answer)
}

/** No stack trace, file name, SQL or name of a library. */
export function expectNoInternals(answer: { text: string }): void {
  expect(answer.text).not.toMatch(
    /\n\s+at |\.ts\b|node_modules|select |insert |Drizzle|Postgres|Elysia|TypeError/i,
  )
}
