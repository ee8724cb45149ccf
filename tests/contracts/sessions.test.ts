/** Sessions and access tokens, across contracts: docs/design.md, "Sessions and tokens". */
import { afterAll, describe, expect, test } from 'bun:test'
import { createHmac } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { readEvents } from '../../src/core/channel/log.ts'
import { sha256 } from '../../src/util/secrets.ts'
import { api } from '../support/api.ts'
import { makeUser, PASSWORD, signInAgain, type TestUser } from '../support/factories.ts'
import { query, startServer } from '../support/server.ts'
import { expectFactoryError, expectLearningError } from '../support/shapes.ts'

const SECRET = 'a secret of this test, long enough to sign with'
const server = await startServer({ JWT_SECRET: SECRET })
afterAll(() => server.stop())

const LEARNING_ME = '/api/v1/auth/me'
const FACTORY_ME = '/api/users/me'
const me = (path: string, token: string) => api(server, 'GET', path, { token })
const refresh = (token: string) =>
  api(server, 'POST', '/api/v1/auth/refresh', { body: { refresh_token: token } })
const age = (refreshToken: string, seconds: number) =>
  query(
    server,
    sql`update refresh_tokens set used_at = used_at - make_interval(secs => ${seconds}) where hash = ${sha256(refreshToken)}`,
  )

describe('refresh tokens', () => {
  test('rotate at every use, and the chain goes on; no two access tokens are equal', async () => {
    const { token, refreshToken } = await makeUser(server)
    const seen = [token, refreshToken]
    for (let i = 0; i < 3; i++) {
      const { status, body } = await refresh(seen.at(-1)!)
      expect(status).toBe(200)
      for (const next of [body.access_token, body.refresh_token]) {
        expect(seen).not.toContain(next)
        seen.push(next)
      }
    }
  })

  test('used again within ten seconds, as by two tabs: both get in, both go on', async () => {
    const { refreshToken } = await makeUser(server)
    const answers = await Promise.all([refresh(refreshToken), refresh(refreshToken), refresh(refreshToken)])
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    const tokens = answers.map(({ body }) => body.refresh_token)
    expect(new Set(tokens).size).toBe(3)
    for (const token of tokens) expect((await refresh(token)).status).toBe(200)
    await age(refreshToken, 8)
    expect((await refresh(refreshToken)).status).toBe(200)
  })

  test('used again later: a theft, which ends the whole session with its access tokens, and no other', async () => {
    const owner = await makeUser(server)
    const elsewhere = await signInAgain(server, owner)
    const next = (await refresh(owner.refreshToken)).body
    expect((await me(FACTORY_ME, next.access_token)).status).toBe(200)
    await age(owner.refreshToken, 11)
    expectLearningError(await refresh(owner.refreshToken), { status: 401, code: 'INVALID_TOKEN' })
    for (const token of [owner.token, next.access_token]) {
      expectFactoryError(await me(FACTORY_ME, token), { status: 401, code: 'INVALID_CREDENTIALS' })
      expectLearningError(await me(LEARNING_ME, token), { status: 401, code: 'INVALID_TOKEN' })
    }
    expect((await refresh(next.refresh_token)).status).toBe(401)
    expect((await me(FACTORY_ME, elsewhere.token)).status).toBe(200)
    expect((await refresh(elsewhere.refreshToken)).status).toBe(200)
    const events = await readEvents(server.ctx, owner.user.id, 0, 10)
    expect(events.map(({ type, data }) => [type, JSON.parse(data).reason])).toEqual([
      ['session.revoked', 'refresh_token_reused'],
    ])
  })

  test('end after seven days without use', async () => {
    const { user, refreshToken } = await makeUser(server)
    const [row] = await query(
      server,
      sql`select extract(epoch from expires_at - now())::int as left from sessions where user_id = ${user.id}`,
    )
    expect(row!.left).toBeWithin(7 * 86_400 - 60, 7 * 86_400 + 60)
    await query(
      server,
      sql`update sessions set expires_at = now() - interval '1 second' where user_id = ${user.id}`,
    )
    expectLearningError(await refresh(refreshToken), { status: 401, code: 'INVALID_TOKEN' })
  })

  test('end after seven days each, also when another one keeps the session alive', async () => {
    const { refreshToken } = await makeUser(server)
    const [used, unused] = [(await refresh(refreshToken)).body, (await refresh(refreshToken)).body]
    const made = (token: string, days: number) =>
      query(
        server,
        sql`update refresh_tokens set created_at = now() - make_interval(days => ${days}) where hash = ${sha256(token)}`,
      )
    await made(unused.refresh_token, 7)
    expectLearningError(await refresh(unused.refresh_token), { status: 401, code: 'INVALID_TOKEN' })
    await made(used.refresh_token, 6)
    expect((await refresh(used.refresh_token)).status).toBe(200)
  })
})

describe('access tokens', () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const sign = (header: object, payload: object, secret = SECRET, hash = 'sha256') => {
    const text = `${part(header)}.${part(payload)}`
    return `${text}.${createHmac(hash, secret).update(text).digest('base64url')}`
  }
  const payloadOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())

  test('of either contract are accepted by the other', async () => {
    const { user } = await makeUser(server)
    const body = { email: user.email, password: PASSWORD }
    for (const path of ['/api/auth/login', '/api/v1/auth/login']) {
      const { access_token } = (await api(server, 'POST', path, { body })).body
      expect((await me(FACTORY_ME, access_token)).body.data.id).toBe(user.uuid)
      expect((await me(LEARNING_ME, access_token)).body.id).toBe(user.id)
      const { iat, exp } = payloadOf(access_token)
      expect(exp - iat).toBe(1800)
    }
  })

  test('carry no personal data', async () => {
    const { user, token } = await makeUser(server)
    expect(Object.keys(payloadOf(token)).sort()).toEqual(['exp', 'iat', 'iss', 'jti', 'sid', 'sub'])
    expect(JSON.stringify(payloadOf(token))).not.toContain(user.email)
  })

  test('an expired one: 401', async () => {
    const { token } = await makeUser(server, { minutes: -1 })
    expectFactoryError(await me(FACTORY_ME, token), { status: 401, code: 'INVALID_CREDENTIALS' })
    expectLearningError(await me(LEARNING_ME, token), { status: 401, code: 'INVALID_TOKEN' })
  })

  const HS256 = { alg: 'HS256', typ: 'JWT' }
  const FORGERIES: [string, (good: ReturnType<typeof payloadOf>, token: string) => string][] = [
    [
      'signed with another secret',
      (good) => sign(HS256, good, 'some other secret of the same length, or so'),
    ],
    ['of algorithm none', (good) => `${part({ alg: 'none', typ: 'JWT' })}.${part(good)}.`],
    [
      'of algorithm none, with the old signature',
      (good, token) => `${part({ alg: 'none' })}.${part(good)}.${token.split('.')[2]}`,
    ],
    ['with another algorithm', (good) => sign({ alg: 'HS512', typ: 'JWT' }, good, SECRET, 'sha512')],
    [
      'with a changed payload',
      (good, token) => [token.split('.')[0], part({ ...good, sub: '1' }), token.split('.')[2]].join('.'),
    ],
    ['without a session', ({ sid: _, ...good }) => sign(HS256, good)],
    ['without an end', ({ exp: _, ...good }) => sign(HS256, good)],
    ['of another issuer', (good) => sign(HS256, { ...good, iss: 'somebody' })],
    [
      'of a session that there is not',
      (good) => sign(HS256, { ...good, sid: '01920000-0000-7000-8000-000000000000' }),
    ],
    ['of a session that is no UUID', (good) => sign(HS256, { ...good, sid: "x' or '1'='1" })],
    ['of a session that is no text', (good) => sign(HS256, { ...good, sid: 5 })],
    ['without its signature', (_, token) => token.split('.').slice(0, 2).join('.')],
  ]
  test('a token made like the real ones is accepted: the forgeries below fail for their own reason', async () => {
    const { token } = await makeUser(server)
    expect((await me(FACTORY_ME, sign(HS256, payloadOf(token)))).status).toBe(200)
  })
  test.each(FORGERIES)('%s: 401', async (_, forge) => {
    const { token } = await makeUser(server)
    const forged = forge(payloadOf(token), token)
    expectFactoryError(await me(FACTORY_ME, forged), { status: 401, code: 'INVALID_CREDENTIALS' })
    expectLearningError(await me(LEARNING_ME, forged), { status: 401, code: 'INVALID_TOKEN' })
  })

  test('the session says who it is, not the subject: a re-signed subject changes nobody', async () => {
    const [owner, other] = [await makeUser(server), await makeUser(server)]
    const token = sign(HS256, { ...payloadOf(owner.token), sub: String(other.user.id) })
    const answer = await me(FACTORY_ME, token)
    if (answer.status === 200) expect(answer.body.data.id).toBe(owner.user.uuid)
    else expect(answer.status).toBe(401)
  })
})

describe('a deactivated user', () => {
  const deactivated = async (): Promise<TestUser> => {
    const owner = await makeUser(server)
    // The server has seen the user before, and remembers it as active.
    expect((await me(FACTORY_ME, owner.token)).status).toBe(200)
    const { token } = await makeUser(server, { role: 'admin' })
    await api(server, 'PUT', `/api/admin/users/${owner.user.id}`, { token, body: { is_active: false } })
    return owner
  }

  test('is refused at sign-in, refresh and use: learning 403 INACTIVE_USER, factory 403', async () => {
    const { user, token, refreshToken } = await deactivated()
    const body = { email: user.email, password: PASSWORD }
    const inactive = { status: 403, code: 'INACTIVE_USER' }
    expectLearningError(await api(server, 'POST', '/api/v1/auth/login', { body }), inactive)
    expectLearningError(await refresh(refreshToken), inactive)
    expectLearningError(await me(LEARNING_ME, token), inactive)
    expectFactoryError(await api(server, 'POST', '/api/auth/login', { body }), {
      status: 403,
      code: 'ACCESS_DENIED',
    })
    expectFactoryError(await me(FACTORY_ME, token), { status: 403, code: 'ACCESS_DENIED' })
  })

  test('with a wrong password learns nothing: 401', async () => {
    const { user } = await deactivated()
    const body = { email: user.email, password: 'wrong' }
    expect((await api(server, 'POST', '/api/v1/auth/login', { body })).status).toBe(401)
  })

  test('is let in again when active again, by a new sign-in alone', async () => {
    const owner = await deactivated()
    const { token } = await makeUser(server, { role: 'admin' })
    await api(server, 'PUT', `/api/admin/users/${owner.user.id}`, { token, body: { is_active: true } })
    expectFactoryError(await me(FACTORY_ME, owner.token), { status: 401, code: 'INVALID_CREDENTIALS' })
    expectLearningError(await refresh(owner.refreshToken), { status: 401, code: 'INVALID_TOKEN' })
    const events = await readEvents(server.ctx, owner.user.id, 0, 10)
    expect(events.map(({ type, data }) => [type, JSON.parse(data).reason])).toEqual([
      ['user.updated', undefined],
      ['session.revoked', 'account_deactivated'],
      ['user.updated', undefined],
    ])
    const body = { email: owner.user.email, password: PASSWORD }
    const again = (await api(server, 'POST', '/api/v1/auth/login', { body })).body
    expect((await me(FACTORY_ME, again.access_token)).status).toBe(200)
  })
})

test('a change of role takes effect with the next request', async () => {
  const boss = await makeUser(server, { role: 'super_admin' })
  const owner = await makeUser(server)
  const list = () => api(server, 'GET', '/api/admin/users', { token: owner.token })
  const give = (role: string) =>
    api(server, 'PUT', `/api/admin/users/${owner.user.id}`, { token: boss.token, body: { role } })
  for (const [role, status] of [
    ['admin', 200],
    ['editor', 403],
    ['super_admin', 200],
    ['user', 403],
  ] as const) {
    expect((await give(role)).status).toBe(200)
    expect((await list()).status, role).toBe(status)
  }
})
