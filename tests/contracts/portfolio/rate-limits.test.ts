/** docs/contracts/portfolio.md, "Rate limits". */
import { afterAll, describe, expect, test } from 'bun:test'
import { createApp } from '../../../src/app.ts'
import { networkOf } from '../../../src/core/rate-limits/keys.ts'
import { descriptionOf } from '../../../src/http/openapi/route.ts'
import { type Ask, api } from '../../support/api.ts'
import { makeUser } from '../../support/factories.ts'
import { hollowApp } from '../../support/hollow.ts'
import { makePhotos } from '../../support/photos.ts'
import { startServer } from '../../support/server.ts'
import { expectRuntimeError } from '../../support/shapes.ts'

const server = await startServer({
  RATE_LIMITS: 'on',
  TRUSTED_PROXIES: '127.0.0.1',
  ALLOWED_ORIGINS: 'https://app.example.com',
})
afterAll(() => server.stop())

/** A random client address, so that tests do not share limits. */
const address = () => `10.${[1, 2, 3].map(() => Math.floor(Math.random() * 256)).join('.')}`
const ask = (method: string, path: string, from: string, options: Ask = {}) =>
  api(server, method, path, { ...options, headers: { 'x-forwarded-for': from, ...options.headers } })
const login = (from: string, body: object = { username: 'nobody', password: 'wrong password' }) =>
  ask('POST', '/v1/auth/login', from, { body })

const NAMES = [
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
  'x-ratelimit-window',
  'ratelimit-policy',
  'ratelimit',
]

/** Expects the header fields of a limit, and its window to end in the future. @returns what is left of it */
function left(headers: Headers, policy: string, limit: number, window: number): number {
  const remaining = Number(headers.get('x-ratelimit-remaining'))
  const [, seconds] = /;t=(\d+)$/.exec(headers.get('ratelimit') ?? '') ?? []
  expect(Object.fromEntries(NAMES.map((name) => [name, headers.get(name)]))).toEqual({
    'x-ratelimit-limit': String(limit),
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-reset': expect.stringMatching(/^\d{10}$/),
    'x-ratelimit-window': String(window),
    'ratelimit-policy': `"${policy}";q=${limit};w=${window}`,
    ratelimit: `"${policy}";r=${remaining};t=${seconds}`,
  })
  expect(Number(seconds)).toBeWithin(1, window + 1)
  const now = Date.now() / 1000
  expect(Number(headers.get('x-ratelimit-reset'))).toBeWithin(Math.floor(now), Math.ceil(now) + window + 1)
  return remaining
}

describe('every answer has the fields', () => {
  test('successes, 204, 304, errors of input, of sign-in and of the path', async () => {
    const owner = await makeUser(server, { role: 'admin' })
    const { token } = owner
    const from = address()
    const [photo] = await makePhotos(server, owner, [{}])
    const path = `/v1/photos/${photo!.id}`
    const shown = await ask('GET', path, from, { token })
    const etag = shown.headers.get('etag')!
    const answers = [
      shown,
      await ask('GET', path, from, { token, headers: { 'if-none-match': etag } }),
      await ask('HEAD', '/v1/tags', from, { token }),
      await ask('GET', '/v1/photos/no-number', from, { token }),
      await ask('POST', '/v1/photos', from, { token, raw: '{' }),
      await ask('POST', '/v1/photos', from, { token, body: {} }),
      await ask('DELETE', path, from, { token }),
      await ask('GET', '/v1/nothing', from, { token }),
      await ask('PATCH', path, from, { token }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([200, 304, 200, 400, 400, 400, 204, 404, 405])
    const remaining = answers.map(({ headers }) => left(headers, 'general', 1000, 3600))
    expect(remaining).toEqual(answers.map((_, n) => 999 - n))
    // The tokens are no user's, so these count for the address.
    const strangers = [
      await ask('POST', '/v1/photos', from, { body: {} }),
      await ask('GET', '/v1/photos', from, { token: `${token}x` }),
      await ask('GET', '/v1/photos', from),
    ]
    expect(strangers.map(({ status }) => status)).toEqual([401, 401, 200])
    expect(strangers.map(({ headers }) => left(headers, 'general', 1000, 3600))).toEqual([999, 998, 997])
    expect(left((await ask('GET', path, from, { token })).headers, 'general', 1000, 3600)).toBe(990)
  })

  test('pages of other origins can read them', async () => {
    const headers = { origin: 'https://app.example.com' }
    const answer = await ask('GET', '/v1/tags', address(), { headers })
    const exposed = answer.headers.get('access-control-expose-headers')!.split(', ')
    expect(exposed).toEqual(expect.arrayContaining(NAMES))
  })

  test('with RATE_LIMITS=off no answer has them', async () => {
    const { status, headers } = await hollowApp().handle(new Request('http://localhost/v1/nothing'))
    expect([status, NAMES.filter((name) => headers.has(name))]).toEqual([404, []])
  })

  test('other contracts, preflights and files have none', async () => {
    for (const [method, path] of [
      ['GET', '/api/v1/materials'],
      ['GET', '/health'],
      ['OPTIONS', '/v1/photos'],
      ['GET', '/files/photos/none'],
    ] as const) {
      const { headers } = await ask(method, path, address())
      expect(NAMES.filter((name) => headers.has(name))).toEqual([])
    }
  })
})

describe('sign-in and refresh', () => {
  test('share five requests a minute of one address, whatever their result; the sixth is refused', async () => {
    const { user, password, refreshToken } = await makeUser(server)
    const from = address()
    const answers = [
      await login(from, { username: user.username, password }),
      await ask('POST', '/v1/auth/refresh', from, { body: { refresh_token: refreshToken } }),
      await login(from),
      await login(from, {}),
      await ask('POST', '/v1/auth/login', from, { raw: '{' }),
      await login(from, { username: user.username, password }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 401, 400, 400, 429])
    expect(answers.map(({ headers }) => left(headers, 'auth', 5, 60))).toEqual([4, 3, 2, 1, 0, 0])
    const { body, headers } = answers[5]!
    const { details } = body.error
    expect(body).toMatchObject({ success: false, code: 429, error: { type: 'RATE_LIMIT_EXCEEDED' } })
    expect(details).toMatchObject({ limit: 5, window: 60 })
    expect(details.reset_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    expect(Date.parse(details.reset_at) / 1000).toBe(Number(headers.get('x-ratelimit-reset')))
    expect(Number(headers.get('retry-after'))).toBeWithin(1, 61)
    expect(headers.get('ratelimit')).toEndWith(`t=${headers.get('retry-after')}`)
    const other = await login(address(), { username: user.username, password })
    expect(other.status).toBe(200)
    // The token that somebody holds makes no difference to the limit of an address.
    const signedIn = await ask('POST', '/v1/auth/login', from, { token: other.body.data.access_token })
    expect(signedIn.status).toBe(429)
    const general = await ask('GET', '/v1/auth/profile', from, { token: other.body.data.access_token })
    expect([general.status, left(general.headers, 'general', 1000, 3600)]).toEqual([200, 999])
  })

  test('a /64 of IPv6 is one address, and an IPv4 address is one however it is written', async () => {
    const net = `2001:db8:${Math.floor(Math.random() * 65536).toString(16)}:7`
    for (let n = 1; n <= 5; n++) expect((await login(`${net}:${n}::${n}`)).status).toBe(401)
    expect((await login(`${net}::ffff`)).status).toBe(429)
    expect((await login(net.replace(/7$/, '8::1'))).status).toBe(401)
    const ipv4 = address()
    for (let n = 1; n <= 5; n++) await login(n % 2 ? ipv4 : `::ffff:${ipv4}`)
    expect((await login(`${ipv4}:4711`)).status).toBe(429)
    expect(networkOf('2001:DB8:0:07::1')).toBe(networkOf('2001:db8:0:7:ffff::'))
  })
})

describe('of signed-in users', () => {
  test('nobody spends the limit of another: users, and strangers at their address', async () => {
    const [a, b] = [await makeUser(server), await makeUser(server)]
    const from = address()
    const search = (token?: string) => ask('GET', '/v1/photos/search', from, { token })
    const many = await Promise.all(Array.from({ length: 200 }, () => search(a.token)))
    expect(many.filter(({ status }) => status === 429)).toHaveLength(140)
    expect(many.filter(({ status }) => status === 400)).toHaveLength(60)
    expect((await search(b.token)).headers.get('x-ratelimit-remaining')).toBe('59')
    expect((await search()).headers.get('x-ratelimit-remaining')).toBe('59')
    const elsewhere = await ask('GET', '/v1/photos/search', address(), { token: a.token })
    expect(elsewhere.status).toBe(429)
    expect((await ask('GET', '/v1/photos', from, { token: a.token })).status).toBe(200)
  })

  test('beginning an upload counts, each part of one does not', async () => {
    const { token } = await makeUser(server, { role: 'editor' })
    const from = address()
    const body = { filename: 'a.jpg', file_size: 3, mime_type: 'image/jpeg', chunk_size: 1_048_576 }
    const init = await ask('POST', '/v1/upload/chunked/init', from, { token, body })
    expect([init.status, left(init.headers, 'upload', 10, 60)]).toEqual([201, 9])
    const id = init.body.data.upload_id
    const answers = []
    for (let n = 0; n < 3; n++) {
      const url = `${server.url}/v1/upload/chunked/${id}/chunks/0`
      const authorization = `Bearer ${token}`
      answers.push(await fetch(url, { method: 'PUT', headers: { authorization }, body: 'abc' }))
    }
    expect(answers.map(({ headers }) => left(headers, 'transfer', 6000, 60))).toEqual([5999, 5998, 5997])
    const missing = await ask('GET', `/v1/upload/chunked/${id}`, from, { token })
    expect(missing.body.data.missing_chunks).toEqual([])
    const refused = []
    for (let n = 0; n < 10; n++)
      refused.push(await ask('POST', '/v1/upload/single', from, { token, raw: '' }))
    expect(refused.map(({ status }) => status)).toEqual([...Array(9).fill(400), 429])
  })
})

describe('the classes of the routes', () => {
  const classes = new Map(
    createApp(server.ctx).routes.flatMap(({ method, path, hooks }) => {
      return path.startsWith('/v1/') ? [[`${method} ${path}`, descriptionOf(hooks)?.limit] as const] : []
    }),
  )

  test('no route under /v1 is without one, and only these are not general or for administrators', () => {
    expect([...classes].filter(([, limit]) => limit === undefined)).toEqual([])
    const special = [...classes].filter(([, limit]) => !['general', 'admin'].includes(limit!))
    expect(Object.fromEntries(special)).toEqual({
      'POST /v1/auth/login': 'auth',
      'POST /v1/auth/refresh': 'auth',
      'GET /v1/photos/search': 'search',
      'POST /v1/upload/single': 'upload',
      'POST /v1/upload/multiple': 'upload',
      'POST /v1/upload/chunked/init': 'upload',
      'POST /v1/upload/resumable': 'upload',
      'GET /v1/upload/status/:file_id': 'transfer',
      'PUT /v1/upload/chunked/:upload_id/chunks/:chunk_index': 'transfer',
      'GET /v1/upload/chunked/:upload_id': 'transfer',
      'POST /v1/upload/chunked/:upload_id/complete': 'transfer',
      'DELETE /v1/upload/chunked/:upload_id': 'transfer',
      'GET /v1/upload/resumable/:id': 'transfer',
      'PATCH /v1/upload/resumable/:id': 'transfer',
      'DELETE /v1/upload/resumable/:id': 'transfer',
    })
  })
})

test('limits of other contracts are quota-exceeded problems too', async () => {
  const from = address()
  const verify = () =>
    ask('POST', '/api/v1/auth/verifications/verify', from, {
      body: { email: 'nobody@example.com', token: '000000' },
    })
  for (let n = 0; n < 20; n++) expect((await verify()).status).toBe(401)
  const answer = await verify()
  expectRuntimeError(answer, { status: 429, code: 'RATE_LIMIT_EXCEEDED' })
  expect(answer.body).toMatchObject({
    type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
    'violated-policies': ['signup-code-email'],
    error: { details: { limit: 20, window: 3600 } },
  })
  expect(left(answer.headers, 'signup-code-email', 20, 3600)).toBe(0)
})
