/** docs/contracts/portfolio.md, "Sign-in". */
import { afterAll, describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { describedApi } from '../../support/described.ts'
import { makeUser, PASSWORD, type TestUser } from '../../support/factories.ts'
import { query, startServer } from '../../support/server.ts'
import { expectAnswer, expectPortfolioError, expectWithout, NEVER_SHOWN } from '../../support/shapes.ts'
import { enveloped, SESSION, USER } from './shapes.ts'

const server = await startServer()
afterAll(() => server.stop())
const api = describedApi(server)

const login = (username: string, password = PASSWORD, headers = {}) =>
  api('POST', '/v1/auth/login', { body: { username, password }, headers })
const refresh = (refreshToken: string) =>
  api('POST', '/v1/auth/refresh', { body: { refresh_token: refreshToken } })
const profile = (token: string) => api('GET', '/v1/auth/profile', { token })
const deactivate = ({ user }: TestUser) =>
  query(server, sql`update users set is_active = false where id = ${user.id}`)

describe('POST /v1/auth/login', () => {
  test('takes the username or the email, and answers a token for 24 hours', async () => {
    const { user } = await makeUser(server, { role: 'editor' })
    for (const name of [user.username, user.email, ` ${user.email.toUpperCase()} `]) {
      const answer = await login(name)
      expectAnswer(answer, 200, enveloped({ ...SESSION, user: USER }))
      expect(answer.body).toMatchObject({ code: 200, message: 'Signed in' })
      const { access_token, expires_in, token_type, user: shown } = answer.body.data
      expect({ expires_in, token_type }).toEqual({ expires_in: 86_400, token_type: 'Bearer' })
      expect(shown).toMatchObject({ id: user.id, role: 'editor', display_name: user.displayName })
      const { exp } = JSON.parse(Buffer.from(access_token.split('.')[1], 'base64url').toString())
      expect(Math.abs(exp - Date.now() / 1000 - 86_400)).toBeLessThan(120)
      expectWithout(answer, PASSWORD, ...NEVER_SHOWN)
    }
  })

  test('says the same of a wrong password and of an unknown name', async () => {
    const { user } = await makeUser(server)
    const answers = [await login(user.username, 'wrong password'), await login('nobody-at-all')]
    for (const answer of answers)
      expectPortfolioError(answer, { status: 401, code: 'AUTHENTICATION_REQUIRED' })
    expect(answers[0]!.body.message).toBe(answers[1]!.body.message)
  })

  test('refuses a deactivated user', async () => {
    const { user } = await makeUser(server, { isActive: false })
    expectPortfolioError(await login(user.username), { status: 401, code: 'INVALID_TOKEN' })
  })

  test('names every field that is missing', async () => {
    const answer = await api('POST', '/v1/auth/login', { body: {} })
    expectPortfolioError(answer, {
      status: 400,
      code: 'VALIDATION_ERROR',
      fields: ['password', 'username'],
    })
    expect(answer.body.error.details[0]).toMatchObject({ code: 'REQUIRED' })
  })

  test('answers in Chinese when the client asks for it', async () => {
    const { user } = await makeUser(server)
    const { body } = await login(user.username, 'wrong password', { 'accept-language': 'zh-CN' })
    expect(body.message).toMatch(/\p{Script=Han}/u)
  })
})

describe('POST /v1/auth/refresh', () => {
  test('exchanges a refresh token for new tokens', async () => {
    const { user } = await makeUser(server)
    const first = (await login(user.username)).body.data
    const answer = await refresh(first.refresh_token)
    expectAnswer(answer, 200, enveloped({ ...SESSION, user: USER }))
    expect(answer.body.data.expires_in).toBe(86_400)
    expect(answer.body.data.refresh_token).not.toBe(first.refresh_token)
    expect((await profile(answer.body.data.access_token)).status).toBe(200)
  })

  test('refuses nonsense, an access token, and the token of a deactivated user', async () => {
    const user = await makeUser(server)
    for (const text of ['nonsense', user.token]) {
      expectPortfolioError(await refresh(text), { status: 401, code: 'INVALID_TOKEN' })
    }
    await deactivate(user)
    expectPortfolioError(await refresh(user.refreshToken), { status: 401, code: 'INVALID_TOKEN' })
  })
})

test('logout ends the session on the server', async () => {
  const { user } = await makeUser(server)
  const { access_token, refresh_token } = (await login(user.username)).body.data
  expectAnswer(await api('POST', '/v1/auth/logout', { token: access_token }), 200, enveloped('object'))
  expectPortfolioError(await profile(access_token), { status: 401, code: 'INVALID_TOKEN' })
  expectPortfolioError(await refresh(refresh_token), { status: 401, code: 'INVALID_TOKEN' })
})

describe('GET /v1/auth/profile', () => {
  test('shows the account, to a token of any contract', async () => {
    const { user } = await makeUser(server, { role: 'admin' })
    const { access_token } = (
      await api('POST', '/api/v1/auth/login', { body: { email: user.email, password: PASSWORD } })
    ).body
    const answer = await profile(access_token)
    expectAnswer(answer, 200, enveloped(USER))
    expect(answer.body.data).toEqual({
      id: user.id,
      username: user.username,
      email: user.email,
      role: 'admin',
      display_name: user.displayName,
      avatar_url: null,
    })
  })

  test('refuses an expired token by another code than one that is not valid', async () => {
    const { token } = await makeUser(server, { minutes: -1 })
    expectPortfolioError(await profile(token), { status: 401, code: 'TOKEN_EXPIRED' })
    expectPortfolioError(await profile('nonsense'), { status: 401, code: 'INVALID_TOKEN' })
    const inactive = await makeUser(server, { isActive: false })
    expectPortfolioError(await profile(inactive.token), { status: 401, code: 'INVALID_TOKEN' })
  })
})

test('a role without the permission is told which one it needs', async () => {
  const { token } = await makeUser(server, { role: 'editor' })
  const answer = await api('DELETE', '/v1/categories/1', { token })
  expectPortfolioError(answer, { status: 403, code: 'PERMISSION_DENIED' })
  expect(answer.body.error.details).toEqual({
    required_permission: 'category.delete',
    user_role: 'editor',
  })
})

test('what does not exist is named', async () => {
  const answer = await api('GET', '/v1/categories/999')
  expectPortfolioError(answer, { status: 404, code: 'RESOURCE_NOT_FOUND' })
  expect(answer.body.error.details).toEqual({ resource_type: 'category', resource_id: 999 })
})
