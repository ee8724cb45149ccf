import { afterAll, describe, expect, test } from 'bun:test'
import { createApp } from '../../../src/app.ts'
import { describedApi } from '../../support/described.ts'
import { makeUser, PASSWORD, unique } from '../../support/factories.ts'
import { startServer } from '../../support/server.ts'
import {
  expectAnswer,
  expectLearningError,
  expectWithout,
  NEVER_SHOWN,
  type Shape,
} from '../../support/shapes.ts'

const server = await startServer()
afterAll(() => server.stop())
const ask = describedApi(server)
const post = (path: string, body?: unknown, token?: string) =>
  ask('POST', `/api/v1/auth/${path}`, { body, token })

/** docs/contracts/learning.md, "Accounts". */
const USER = {
  id: 'integer',
  email: 'string',
  name: 'string',
  avatar_url: 'string|null',
  is_active: 'true',
  created_at: 'instant',
} satisfies Shape
const TOKENS = { access_token: 'jwt', refresh_token: 'string', token_type: 'string' } satisfies Shape

describe('POST /api/v1/auth/register', () => {
  test('201 with the bare user, who can sign in', async () => {
    const email = `${unique('reg')}@example.com`
    const answer = await post('register', { email, name: '用户名', password: 'your-password' })
    expectAnswer(answer, 201, USER)
    expect(answer.body).toMatchObject({ email, name: '用户名', avatar_url: null, is_active: true })
    expectWithout(answer, 'your-password', 'argon2', 'access_token', ...NEVER_SHOWN)
    const signedIn = await post('login', { email, password: 'your-password' })
    expectAnswer(signedIn, 200, { ...TOKENS, expires_in: 'integer', user: USER })
    expect(signedIn.body).toMatchObject({ token_type: 'bearer', expires_in: 1800, user: answer.body })
  })

  test('a role or a state in the body is not taken', async () => {
    const body = {
      email: `${unique('x')}@example.com`,
      name: 'n',
      password: 'your-password',
      is_active: false,
    }
    const answer = await post('register', { ...body, role: 'super_admin', username: 'chosen', id: 1 })
    expect(answer.status).toBe(201)
    const { access_token } = (await post('login', { email: body.email, password: body.password })).body
    const me = await ask('GET', '/api/users/me', { token: access_token })
    expect(me.body.data.role).toBe('user')
    expect(me.body.data.username).not.toBe('chosen')
  })

  test('a taken email, in any case: 400', async () => {
    const { user } = await makeUser(server)
    const answer = await post('register', {
      email: user.email.toUpperCase(),
      name: 'n',
      password: 'your-password',
    })
    expectLearningError(answer, { status: 400, code: 'EMAIL_ALREADY_EXISTS' })
    expectWithout(answer, user.username, 'your-password')
  })

  const good = { email: 'a@example.com', name: 'n', password: 'your-password' }
  test.each<[string, object, string[]]>([
    ['nothing', {}, ['email', 'name', 'password']],
    ['an email that is none', { ...good, email: 'a@b' }, ['email']],
    ['a null email', { ...good, email: null }, ['email']],
    ['an empty name', { ...good, name: '' }, ['name']],
    ['a long name', { ...good, name: 'n'.repeat(101) }, ['name']],
    ['a name that is a number', { ...good, name: 5 }, ['name']],
    ['seven characters of password', { ...good, password: '1234567' }, ['password']],
    ['a very long password', { ...good, password: 'p'.repeat(201) }, ['password']],
    ['a password that is an object', { ...good, password: { a: 1 } }, ['password']],
  ])('%s: 422 and names the field', async (_, body, fields) => {
    const answer = await post('register', body)
    expectLearningError(answer, { status: 422, code: 'VALIDATION_ERROR', fields })
    expect(answer.body.instance).toBe('/api/v1/auth/register')
    expectWithout(answer, 'your-password')
  })

  test('a name of a hundred characters and a password of eight fit', async () => {
    const body = { email: `${unique('e')}@example.com`, name: '名'.repeat(100), password: '12345678' }
    expect((await post('register', body)).status).toBe(201)
  })
})

describe('POST /api/v1/auth/login', () => {
  test('takes the username in the email field too', async () => {
    const { user } = await makeUser(server)
    for (const email of [user.email.toUpperCase(), user.username]) {
      const answer = await post('login', { email, password: PASSWORD })
      expect(answer.body.user).toMatchObject({ id: user.id, email: user.email })
    }
  })

  test('a wrong password and an unknown user: the same 401', async () => {
    const { user } = await makeUser(server)
    const wrong = await post('login', { email: user.email, password: 'Wr0ng-One' })
    expectLearningError(wrong, { status: 401, code: 'UNAUTHORIZED' })
    expectWithout(wrong, 'Wr0ng-One', user.email)
    expect((await post('login', { email: 'nobody@example.com', password: 'Wr0ng-One' })).text).toBe(
      wrong.text,
    )
  })

  test('a body without the fields: 422', async () => {
    expectLearningError(await post('login', {}), {
      status: 422,
      code: 'VALIDATION_ERROR',
      fields: ['email', 'password'],
    })
    expectLearningError(await post('login', { email: 1, password: 'p' }), {
      status: 422,
      code: 'VALIDATION_ERROR',
      fields: ['email'],
    })
  })
})

test('GET /api/v1/auth/me shows oneself', async () => {
  const { user, token } = await makeUser(server)
  const answer = await ask('GET', '/api/v1/auth/me', { token })
  expectAnswer(answer, 200, USER)
  expect(answer.body).toEqual({
    id: user.id,
    email: user.email,
    name: user.displayName,
    avatar_url: null,
    is_active: true,
    created_at: user.createdAt.toISOString(),
  })
})

describe('POST /api/v1/auth/refresh', () => {
  test('exchanges a refresh token for new tokens that work', async () => {
    const { refreshToken, token } = await makeUser(server)
    const answer = await post('refresh', { refresh_token: refreshToken })
    expectAnswer(answer, 200, TOKENS)
    expect(answer.body.token_type).toBe('bearer')
    expect(answer.body.refresh_token).not.toBe(refreshToken)
    for (const one of [answer.body.access_token, token]) {
      expect((await ask('GET', '/api/v1/auth/me', { token: one })).status).toBe(200)
    }
  })

  test.each([
    ['nonsense', 'nonsense'],
    ['an access token', undefined],
  ])('%s is no refresh token: 401', async (_, given) => {
    const refresh_token = given ?? (await makeUser(server)).token
    const answer = await post('refresh', { refresh_token })
    expectLearningError(answer, { status: 401, code: 'INVALID_TOKEN' })
    expectWithout(answer, refresh_token)
  })

  test.each<[string, object]>([
    ['nothing', {}],
    ['an empty one', { refresh_token: '' }],
    ['a number', { refresh_token: 5 }],
    ['a very long one', { refresh_token: 'x'.repeat(501) }],
  ])('%s: 422', async (_, body) => {
    const answer = await post('refresh', body)
    expectLearningError(answer, { status: 422, code: 'VALIDATION_ERROR', fields: ['refresh_token'] })
  })
})

test('POST /api/v1/auth/logout ends the session on the server, for access and refresh', async () => {
  const { token, refreshToken } = await makeUser(server)
  const answer = await post('logout', undefined, token)
  expectAnswer(answer, 200, { message: 'string', detail: 'string' })
  expect(answer.body).toEqual({
    message: 'Successfully logged out',
    detail: 'Please discard your tokens on the client side',
  })
  expectLearningError(await ask('GET', '/api/v1/auth/me', { token }), { status: 401, code: 'INVALID_TOKEN' })
  expectLearningError(await post('logout', undefined, token), { status: 401, code: 'INVALID_TOKEN' })
  expect((await post('refresh', { refresh_token: refreshToken })).status).toBe(401)
})

describe('health', () => {
  test('GET /health says that the server works, which version and in which environment', async () => {
    const answer = await ask('GET', '/health')
    expectAnswer(answer, 200, { status: 'string', version: 'string', environment: 'string' })
    expect(answer.body).toMatchObject({ status: 'healthy', environment: 'development' })
  })

  test('GET /api/v1/health/db says that the database answers', async () => {
    const answer = await ask('GET', '/api/v1/health/db')
    expectAnswer(answer, 200, { status: 'string', database: 'string' })
    expect(answer.body).toEqual({ status: 'healthy', database: 'connected' })
  })

  test('both tell the truth when the database is gone: 503', async () => {
    const { ctx } = server
    const db = new Proxy(ctx.db, { get: () => () => Promise.reject(gone()) })
    const app = createApp({ ...ctx, db })
    const health = await app.handle(new Request('http://localhost/health'))
    expect(health.status).toBe(503)
    expect(await health.json()).toMatchObject({ status: 'unhealthy' })
    const response = await app.handle(new Request('http://localhost/api/v1/health/db'))
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('1')
    const text = await response.text()
    expect(JSON.parse(text)).toMatchObject({ error: { code: 'DATABASE_ERROR' }, status: 503 })
    expect(text).not.toContain('10.0.0.9')
  })
})

const gone = () => Object.assign(new Error('connect ECONNREFUSED 10.0.0.9:5432'), { code: 'ECONNREFUSED' })
