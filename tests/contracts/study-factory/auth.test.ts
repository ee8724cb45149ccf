import { afterAll, describe, expect, test } from 'bun:test'
import { describedApi } from '../../support/described.ts'
import { makeUser, unique } from '../../support/factories.ts'
import { startServer } from '../../support/server.ts'
import {
  enveloped,
  expectAnswer,
  expectFactoryError,
  expectWithout,
  NEVER_SHOWN,
} from '../../support/shapes.ts'

const server = await startServer()
afterAll(() => server.stop())
const ask = describedApi(server)
const post = (path: string, body: unknown) => ask('POST', path, { body })

/** Study's fields and factory's envelope in one answer: docs/design.md, "Routes of study and factory". */
const user = { id: 'uuid', email: 'string', username: 'string', role: 'string' }
const session = { access_token: 'jwt', token_type: 'string', expires_in: 'integer', user }
const signedIn = { access_token: 'jwt', token_type: 'string', ...enveloped(session) }

describe('POST /api/auth/register', () => {
  test.each([
    ['as the factory contract has it', { username: 'newuser', full_name: '新用户' }],
    ['as the study contract has it', { username: 'testuser' }],
    ['with an email alone', {}],
  ])('%s: 201, signed in, in both forms', async (_, extra: { username?: string; full_name?: string }) => {
    const name = unique(extra.username ?? 'm').slice(0, 25)
    const email = `${name}@example.com`
    const body = { email, password: 'password123', ...extra, ...(extra.username && { username: name }) }
    const answer = await post('/api/auth/register', body)
    expectAnswer(answer, 201, signedIn)
    expect(answer.body).toMatchObject({
      token_type: 'bearer',
      data: { expires_in: 1800, token_type: 'bearer', email, user: { email, username: name, role: 'user' } },
    })
    expect(answer.body.access_token).toBe(answer.body.data.access_token)
    expectWithout(answer, 'password123', 'argon2', ...NEVER_SHOWN)
    const me = await ask('GET', '/api/users/me', { token: answer.body.access_token })
    expect(me.body.data).toMatchObject({ email, full_name: extra.full_name ?? name, balance: 0 })
  })

  test('what a stranger may not set is not taken: role, state, balance, ids', async () => {
    const email = `${unique('x')}@example.com`
    const greedy = { role: 'super_admin', is_active: false, balance: 1000, balanceMinor: 5, id: 1, uuid: 'x' }
    const answer = await post('/api/auth/register', { email, password: 'password123', ...greedy })
    expect(answer.status).toBe(201)
    const me = await ask('GET', '/api/users/me', { token: answer.body.access_token })
    expect(me.body.data).toMatchObject({ role: 'user', balance: 0, available_balance: 0 })
  })

  const good = { email: 'a@example.com', username: 'abc', password: 'password123', full_name: 'A' }
  test.each<[string, object, string[]]>([
    ['nothing', {}, ['email', 'password']],
    ['no email', { ...good, email: undefined }, ['email']],
    ['an email that is none', { ...good, email: 'nobody' }, ['email']],
    ['a null email', { ...good, email: null }, ['email']],
    ['an email that is too long', { ...good, email: `${'a'.repeat(250)}@example.com` }, ['email']],
    ['no password', { ...good, password: undefined }, ['password']],
    ['a short password', { ...good, password: '12345' }, ['password']],
    ['a very long password', { ...good, password: 'p'.repeat(201) }, ['password']],
    ['a password that is a number', { ...good, password: 12345678 }, ['password']],
    ['a short username', { ...good, username: 'ab' }, ['username']],
    ['a long username', { ...good, username: 'a'.repeat(31) }, ['username']],
    ['a username with @', { ...good, username: 'a@b.co' }, ['username']],
    ['a username with a space', { ...good, username: 'a b c' }, ['username']],
    ['an empty full_name', { ...good, full_name: '' }, ['full_name']],
    ['a long full_name', { ...good, full_name: 'n'.repeat(101) }, ['full_name']],
    ['two mistakes', { ...good, email: 'x', password: '1' }, ['email', 'password']],
  ])('%s: 422 and names the field', async (_, body, fields) => {
    const answer = await post('/api/auth/register', body)
    expectFactoryError(answer, { status: 422, code: 'VALIDATION_ERROR', fields })
    expectWithout(answer, 'password123')
  })

  test('six characters are enough', async () => {
    const six = await post('/api/auth/register', { email: `${unique('s')}@example.com`, password: '123456' })
    expect(six.status).toBe(201)
  })

  test('a taken email or username, in any case: 409', async () => {
    const { user } = await makeUser(server)
    const mail = { email: user.email.toUpperCase(), password: 'password123' }
    expectFactoryError(await post('/api/auth/register', mail), { status: 409, code: 'EMAIL_ALREADY_EXISTS' })
    const name = {
      email: `${unique('n')}@example.com`,
      username: user.username.toUpperCase(),
      password: 'password123',
    }
    expectFactoryError(await post('/api/auth/register', name), {
      status: 409,
      code: 'USERNAME_ALREADY_EXISTS',
    })
  })
})

describe('POST /api/auth/login', () => {
  test('the email or the username signs in, in either field; an email in any case', async () => {
    const { user, password } = await makeUser(server)
    for (const body of [
      { email: user.email },
      { email: user.email.toUpperCase() },
      { email: user.username },
      { username: user.username },
      { username: user.email },
    ]) {
      const answer = await post('/api/auth/login', { ...body, password })
      expectAnswer(answer, 200, signedIn)
      expect(answer.body.data.user).toEqual({
        id: user.uuid,
        email: user.email,
        username: user.username,
        role: 'user',
      })
      expectWithout(answer, password, ...NEVER_SHOWN)
    }
  })

  test('signing in is the last login that the account shows', async () => {
    const { user, password } = await makeUser(server)
    const before = Date.now()
    const { body } = await post('/api/auth/login', { email: user.email, password })
    const me = await ask('GET', '/api/users/me', { token: body.access_token })
    expect(Date.parse(me.body.data.last_login)).toBeGreaterThan(before - 1000)
  })

  test('an unknown user and a wrong password are told apart by nothing', async () => {
    const { user } = await makeUser(server)
    const wrong = await post('/api/auth/login', { email: user.email, password: 'Wr0ng-Secret' })
    const unknown = await post('/api/auth/login', { email: 'nobody@example.com', password: 'Wr0ng-Secret' })
    expectFactoryError(wrong, { status: 401, code: 'INVALID_CREDENTIALS' })
    expect(unknown.text).toBe(wrong.text)
    expect(unknown.status).toBe(401)
    expectWithout(wrong, 'Wr0ng-Secret', user.email)
  })

  test.each<[string, object, string[]]>([
    ['nothing', {}, ['password']],
    ['a password alone', { password: 'password123' }, ['email']],
    ['no password', { email: 'a@example.com' }, ['password']],
    ['an empty password', { email: 'a@example.com', password: '' }, ['password']],
    ['an email that is an object', { email: { $ne: null }, password: 'password123' }, ['email']],
    ['a password that is an array', { email: 'a@example.com', password: ['password123'] }, ['password']],
  ])('%s: 422', async (_, body, fields) => {
    const answer = await post('/api/auth/login', body)
    expectFactoryError(answer, { status: 422, code: 'VALIDATION_ERROR', fields })
    expectWithout(answer, 'password123')
  })
})
