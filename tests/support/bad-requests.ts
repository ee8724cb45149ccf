/** Requests with mistakes that clients make. */
import { expect } from 'bun:test'
import { type Answer, readAnswer } from './api.ts'
import { expectFactoryError, expectLearningError, expectNoInternals, expectPortfolioError } from './shapes.ts'

/** A value in every body, which no answer may repeat. */
export const RECOGNISABLE = 'S3cret-Recognisable'
const P = RECOGNISABLE

const JSON_TYPE = 'application/json'
const MEGABYTE = 1024 * 1024
/** The fields that both registrations need; `name` is learning's alone. */
const fields = (change: object) =>
  JSON.stringify({ email: 'a@example.com', name: 'n', password: P, ...change })

interface BadRequest {
  body: string | Uint8Array
  type?: string | null
  chunked?: boolean
  status: 413 | 422
  /** The field that the error must name; undefined: any. */
  field?: string
}

export const BAD_BODIES: Record<string, BadRequest> = {
  'JSON cut off': { body: `{"email":"a@example.com","password":"${P}"`, status: 422, field: 'body' },
  'JSON with a comma too many': { body: `{"password":"${P}",}`, status: 422, field: 'body' },
  'JSON in single quotes': { body: `{'password':'${P}'}`, status: 422, field: 'body' },
  'two JSON values': { body: `{"password":"${P}"}{}`, status: 422, field: 'body' },
  'a form in place of JSON': { body: `email=a%40example.com&password=${P}`, status: 422, field: 'body' },
  'a zero byte between': { body: `{"password":"${P}\u0000"}`, status: 422, field: 'body' },
  nothing: { body: '', status: 422, field: 'body' },
  'white space': { body: ' \r\n\t', status: 422, field: 'body' },
  null: { body: 'null', status: 422, field: 'body' },
  'a list': { body: `["${P}"]`, status: 422, field: 'body' },
  'a list around it': { body: `[${fields({})}]`, status: 422, field: 'body' },
  'a text': { body: `"${P}"`, status: 422, field: 'body' },
  'a number': { body: '7', status: 422, field: 'body' },
  'a truth': { body: 'true', status: 422, field: 'body' },
  'bytes that are no UTF-8': {
    body: new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
    status: 422,
  },
  'an empty object': { body: '{}', status: 422, field: 'email' },
  'wrong types': { body: fields({ email: 5, password: [P] }), status: 422, field: 'password' },
  'nested where a text belongs': { body: fields({ email: { a: { b: P } } }), status: 422, field: 'email' },
  'a missing field': { body: fields({ email: undefined }), status: 422, field: 'email' },
  'a field in __proto__': { body: `{"__proto__":{"email":"a@example.com"},"password":"${P}"}`, status: 422 },
  'a prototype of its own': {
    body: `{"constructor":{"prototype":{"email":"a@example.com"}},"password":"${P}"}`,
    status: 422,
  },
  'a zero character': {
    body: fields({ email: 'zero@example.com', name: 'a\0b', username: 'a\0b' }),
    status: 422,
    field: 'name',
  },
  'a zero character in the name of a field': { body: fields({ 'a\0b': 1 }), status: 422, field: 'body' },
  'a zero character in the password': {
    body: fields({ password: `${P}\0` }),
    status: 422,
    field: 'password',
  },
  'half a surrogate pair': {
    body: fields({ name: 'a\ud800b', full_name: 'a\ud800b' }),
    status: 422,
    field: 'name',
  },
  'a surrogate pair the wrong way round': {
    body: fields({ name: '\udc00\ud800', password: `${P}\udc00\ud800` }),
    status: 422,
  },
  'an emoji for an email': { body: fields({ email: '🦉@example.com' }), status: 422, field: 'email' },
  'an endless name': {
    body: fields({ name: 'x'.repeat(100_000), full_name: 'x'.repeat(100_000) }),
    status: 422,
  },
  'an endless password': { body: fields({ password: P.repeat(20_000) }), status: 422, field: 'password' },
  'an endless field that nobody reads': {
    body: fields({ email: 1, zzz: P.repeat(20_000) }),
    status: 422,
    field: 'email',
  },
  'lists in lists': {
    body: `{"password":"${P}","a":${'['.repeat(100)}${']'.repeat(100)}}`,
    status: 422,
    field: 'body',
  },
  'a hundred thousand lists in lists': {
    body: `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    status: 422,
    field: 'body',
  },
  'twenty thousand fields': {
    body: `{${Array.from({ length: 20_000 }, (_, i) => `"f${i}":1`).join()}}`,
    status: 422,
    field: 'email',
  },
  'more than a megabyte': { body: fields({ password: P + 'x'.repeat(MEGABYTE) }), status: 413 },
  'more than a megabyte, of no declared length': {
    body: fields({ password: P + 'x'.repeat(MEGABYTE) }),
    chunked: true,
    status: 413,
  },
  'more than a megabyte of white space': { body: ' '.repeat(MEGABYTE + 1), status: 413 },
  'JSON called a text': { body: fields({}), type: 'text/plain', status: 422, field: 'body' },
  'JSON called a form': {
    body: fields({}),
    type: 'application/x-www-form-urlencoded',
    status: 422,
    field: 'body',
  },
  'JSON called bytes': { body: fields({}), type: 'application/octet-stream', status: 422, field: 'body' },
  'JSON called multipart': {
    body: fields({}),
    type: 'multipart/form-data; boundary=x',
    status: 422,
    field: 'body',
  },
  'JSON called nonsense': { body: fields({}), type: 'nonsense', status: 422, field: 'body' },
  'JSON called something that ends alike': {
    body: fields({}),
    type: 'text/notjson',
    status: 422,
    field: 'body',
  },
  'a large form': {
    body: `password=${P}${'x'.repeat(2 * MEGABYTE)}`,
    type: 'application/x-www-form-urlencoded',
    status: 422,
    field: 'body',
  },
}

type Form = (answer: Answer, error: { status: number; code: string }) => void

/** The routes to which the bad requests go; two of them register, and portfolio, which cannot, signs in. */
const FORMS = {
  '/api/auth/register': {
    expectError: expectFactoryError as Form,
    codes: { 413: 'PAYLOAD_TOO_LARGE', 422: 'VALIDATION_ERROR' },
    invalid: 422,
    named: ({ body }: Answer): string[] => Object.keys(body.details.field_errors),
  },
  '/api/v1/auth/register': {
    expectError: expectLearningError as Form,
    codes: { 413: 'FILE_TOO_LARGE', 422: 'VALIDATION_ERROR' },
    invalid: 422,
    named: ({ body }: Answer): string[] => Object.keys(body.error.details),
  },
  '/v1/auth/login': {
    expectError: expectPortfolioError as Form,
    codes: { 413: 'PAYLOAD_TOO_LARGE', 422: 'VALIDATION_ERROR' },
    invalid: 400,
    // Signing in has a field `username` in place of `email`.
    named: ({ body }: Answer): string[] => [
      ...body.error.details.map(({ field }: { field: string }) => (field === 'username' ? 'email' : field)),
    ],
  },
}

/** Sends it to a route, and expects a clean refusal in the form of that contract. */
export async function expectRefusal(url: string, path: keyof typeof FORMS, bad: BadRequest) {
  const body = bad.chunked
    ? inChunks(bad.body as string)
    : typeof bad.body === 'string'
      ? new TextEncoder().encode(bad.body)
      : bad.body
  const type = bad.type === undefined ? JSON_TYPE : bad.type
  const response = await fetch(url + path, {
    method: 'POST',
    body,
    headers: type ? { 'content-type': type } : {},
  })
  const answer = await readAnswer(response)
  expect(answer.text).not.toContain(RECOGNISABLE)
  const { expectError, codes, invalid, named } = FORMS[path]
  expectError(answer, { status: bad.status === 422 ? invalid : bad.status, code: codes[bad.status] })
  if (bad.field) expect(named(answer)).toContain(bad.field)
}

function inChunks(text: string): ReadableStream {
  const bytes = new TextEncoder().encode(text)
  let sent = 0
  return new ReadableStream({
    pull(controller) {
      if (sent >= bytes.length) return controller.close()
      controller.enqueue(bytes.slice(sent, sent + 65_536))
      sent += 65_536
    },
  })
}

/** Odd queries. The server answers each or refuses it with 4xx. */
export const ODD_QUERIES = [
  'page=1&page=2',
  'status=running&status=pending',
  'status[]=running',
  'page[]=1',
  'page[a]=1',
  'task_type=a&task_type=b',
  '__proto__=1',
  '__proto__[page]=2',
  'constructor=1',
  'constructor[prototype][page]=2',
  'toString=1',
  'hasOwnProperty=1',
  '=',
  '&&&',
  '?',
  '#',
  'page',
  'page=%',
  'page=%E0%A4%A',
  'page=%ff',
  'task_type=%ff',
  'task_type=%ED%A0%80',
  'page=1;page=2',
  'task_type=%00',
  'task_type=a%00b',
  '%00=1',
  'page=%00',
  'sort_by=%00',
  'task_type={"a":1}',
  'task_type=[1,2]',
  'page=[1]',
  'page=1e400',
  'page=Infinity',
  'page=NaN',
  'page=-0',
  'page=0x10',
  'page=9007199254740993',
  'page=1000000&page_size=100',
  `task_type=${'x'.repeat(8000)}`,
  `${'x'.repeat(8000)}=1`,
  Array.from({ length: 500 }, (_, i) => `q${i}=${i}`).join('&'),
  "task_type=' or 1=1 --",
  'task_type=%27%3B%20drop%20table%20tasks',
  'task_type=🦉',
  'task_type=%F0%9F%A6%89',
]

export async function expectUnderstoodOrRefused(url: string, token: string, text: string): Promise<void> {
  const response = await fetch(`${url}/api/tasks?${text}`, { headers: { authorization: `Bearer ${token}` } })
  const answer = await readAnswer(response)
  if (answer.status === 200) expect(answer.body.items).toEqual([])
  else expectFactoryError(answer, { status: 422, code: 'VALIDATION_ERROR' })
  expectNoInternals(answer)
}
