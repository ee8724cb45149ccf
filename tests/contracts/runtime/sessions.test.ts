import { afterAll, describe, expect, test } from 'bun:test'
import { describedApi } from '../../support/described.ts'
import { makeUser, PASSWORD, unique } from '../../support/factories.ts'
import { startServer } from '../../support/server.ts'
import {
  expectAnswer,
  expectRuntimeError,
  expectWithout,
  NEVER_SHOWN,
  RUNTIME_SESSION,
} from '../../support/shapes.ts'
import { openLive } from '../../support/sockets.ts'

const server = await startServer()
afterAll(() => server.stop())
const ask = describedApi(server)
const signIn = (body: object) => ask('POST', '/api/v1/auth/sessions', { body })
const refresh = (body: object) => ask('POST', '/api/v1/auth/sessions/refresh', { body })
const signOut = (body: object, token?: string) => ask('DELETE', '/api/v1/auth/sessions', { body, token })
const me = (token: string) => ask('GET', '/api/v1/users/me', { token })

describe('POST /api/v1/auth/sessions', () => {
  test('signs in with the email, in any case, or the username; for an hour', async () => {
    const { user } = await makeUser(server)
    for (const email of [user.email, user.email.toUpperCase(), user.username]) {
      const answer = await signIn({ email, password: PASSWORD })
      expectAnswer(answer, 200, RUNTIME_SESSION)
      expect(answer.body).toMatchObject({
        expires_in: 3600,
        token_type: 'bearer',
        user: { id: user.uuid, email: user.email },
      })
      expectWithout(answer, PASSWORD, ...NEVER_SHOWN)
      const { iat, exp } = JSON.parse(
        Buffer.from(answer.body.access_token.split('.')[1], 'base64url').toString(),
      )
      expect(exp - iat).toBe(3600)
      expect((await me(answer.body.access_token)).body.id).toBe(user.uuid)
    }
  })

  test('a wrong password and an unknown user: the same 401', async () => {
    const { user } = await makeUser(server)
    const wrong = await signIn({ email: user.email, password: 'Wr0ng-One' })
    expectRuntimeError(wrong, { status: 401, code: 'INVALID_CREDENTIALS' })
    expect(wrong.body.detail).toBe('邮箱、用户名或密码不正确')
    expectWithout(wrong, 'Wr0ng-One', user.email)
    const unknown = await signIn({ email: `${unique('no')}@example.com`, password: 'Wr0ng-One' })
    expect(unknown.text).toBe(wrong.text)
  })

  test('a deactivated user: 403, but only with the password', async () => {
    const { user } = await makeUser(server, { isActive: false })
    expectRuntimeError(await signIn({ email: user.email, password: PASSWORD }), {
      status: 403,
      code: 'INACTIVE_USER',
    })
    expect((await signIn({ email: user.email, password: 'Wr0ng-One' })).status).toBe(401)
  })

  test.each<[string, object, string[]]>([
    ['nothing', {}, ['email', 'password']],
    ['an empty email', { email: '', password: PASSWORD }, ['email']],
    ['a long email', { email: 'a'.repeat(255), password: PASSWORD }, ['email']],
    ['a short password', { email: 'a@example.com', password: '12345' }, ['password']],
    ['a password that is a list', { email: 'a@example.com', password: [PASSWORD] }, ['password']],
  ])('%s: 422', async (_, body, fields) => {
    const answer = await signIn(body)
    expectRuntimeError(answer, { status: 422, code: 'VALIDATION_ERROR', fields })
    expectWithout(answer, PASSWORD)
  })
})

describe('POST /api/v1/auth/sessions/refresh', () => {
  test('exchanges a refresh token for new ones, with the user', async () => {
    const { user, refreshToken } = await makeUser(server)
    const answer = await refresh({ refresh_token: refreshToken })
    expectAnswer(answer, 200, RUNTIME_SESSION)
    expect(answer.body).toMatchObject({ expires_in: 3600, user: { id: user.uuid, email: user.email } })
    expect(answer.body.refresh_token).not.toBe(refreshToken)
    expect((await me(answer.body.access_token)).status).toBe(200)
  })

  test('one of another contract is as good', async () => {
    const { user } = await makeUser(server)
    const body = { email: user.email, password: PASSWORD }
    const { refresh_token } = (await ask('POST', '/api/v1/auth/login', { body })).body
    expect((await refresh({ refresh_token })).body.expires_in).toBe(3600)
  })

  test('an unknown one: 401; a body without one: 422', async () => {
    const answer = await refresh({ refresh_token: 'rt_unknown' })
    expectRuntimeError(answer, { status: 401, code: 'INVALID_TOKEN' })
    expectWithout(answer, 'rt_unknown')
    for (const body of [
      {},
      { refresh_token: '' },
      { refresh_token: 7 },
      { refresh_token: 'x'.repeat(501) },
    ]) {
      const fields = ['refresh_token']
      expectRuntimeError(await refresh(body), { status: 422, code: 'VALIDATION_ERROR', fields })
    }
  })
})

describe('DELETE /api/v1/auth/sessions', () => {
  test('204 without a bearer; access tokens, refresh tokens and sockets of the session end, others stay', async () => {
    const { user } = await makeUser(server)
    const open = async () => (await signIn({ email: user.email, password: PASSWORD })).body
    const [session, other] = [await open(), await open()]
    const live = await openLive(server, session.access_token)
    expect((await me(session.access_token)).status).toBe(200)
    const answer = await signOut({ refresh_token: session.refresh_token })
    expect(answer).toMatchObject({ status: 204, text: '' })
    expectRuntimeError(await me(session.access_token), { status: 401, code: 'INVALID_TOKEN' })
    expect((await refresh({ refresh_token: session.refresh_token })).status).toBe(401)
    expect((await live.closing()).code).toBe(4403)
    expect((await me(other.access_token)).status).toBe(200)
  })

  test('with a token that was rotated since, or of a session that has ended, or that nobody has: 204', async () => {
    const { refreshToken, token } = await makeUser(server)
    await refresh({ refresh_token: refreshToken })
    for (const refresh_token of [refreshToken, refreshToken, 'rt_unknown']) {
      expect((await signOut({ refresh_token })).status).toBe(204)
    }
    expect((await me(token)).status).toBe(401)
  })

  test('a bearer that has expired does not keep anybody in', async () => {
    const { refreshToken, token } = await makeUser(server, { minutes: -1 })
    expect((await signOut({ refresh_token: refreshToken }, token)).status).toBe(204)
    expect((await refresh({ refresh_token: refreshToken })).status).toBe(401)
  })

  test('a body without one: 422', async () => {
    for (const body of [{}, { refresh_token: '' }, { refresh_token: null }]) {
      const fields = ['refresh_token']
      expectRuntimeError(await signOut(body), { status: 422, code: 'VALIDATION_ERROR', fields })
    }
  })
})
