/** docs/contracts/portfolio.md, "Users and sessions". */
import { afterAll, describe, expect, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import { updateProfile } from '../../../src/core/accounts/accounts.ts'
import { sessions, users } from '../../../src/db/schema/index.ts'
import { actorOf } from '../../support/actors.ts'
import { type Ask, api } from '../../support/api.ts'
import { makeUser, PASSWORD, signInAgain, type TestUser, unique } from '../../support/factories.ts'
import { mp4, slowUpload } from '../../support/files.ts'
import { mailTo } from '../../support/mail.ts'
import { picture96 } from '../../support/photo-fixtures.ts'
import { query, startServer } from '../../support/server.ts'
import { expectAnswer, expectPortfolioError, expectWithout, NEVER_SHOWN } from '../../support/shapes.ts'
import { openLive } from '../../support/sockets.ts'
import { enveloped, PAGINATION, USER } from './shapes.ts'

const server = await startServer()
afterAll(() => server.stop())
const { ctx } = server
const ask = (method: string, path: string, { token }: Partial<TestUser> = {}, rest: Ask = {}) =>
  api(server, method, `/v1/users${path}`, { token, ...rest })
const [boss, admin, user] = await Promise.all([
  makeUser(server, { role: 'super_admin' }),
  makeUser(server, { role: 'admin' }),
  makeUser(server),
])

const LISTED = {
  ...USER,
  bio: 'string',
  is_active: 'boolean',
  email_confirmed: 'boolean',
  last_login_at: 'instant|null',
  created_at: 'instant',
  updated_at: 'instant',
} as const
const SESSION = {
  id: 'uuid',
  device: {
    browser: 'string',
    browser_version: 'string',
    os: 'string',
    os_version: 'string',
    type: 'string',
  },
  user_agent: 'string',
  ip: 'string',
  created_at: 'instant',
  last_seen_at: 'instant',
  expires_at: 'instant',
  is_current: 'boolean',
} as const
const denied = (answer: Awaited<ReturnType<typeof ask>>, permission: string, role: string) => {
  expectPortfolioError(answer, { status: 403, code: 'PERMISSION_DENIED' })
  expect(answer.body.error.details).toMatchObject({ required_permission: permission, user_role: role })
}
const input = (more: object = {}) => {
  const name = unique('n')
  return { username: name, email: `${name}@example.com`, password: 'password123', ...more }
}
const isSignedIn = async ({ token }: { token: string }) =>
  (await api(server, 'GET', '/v1/auth/profile', { token })).status === 200

describe('GET /v1/users', () => {
  test('filters, searches, sorts and pages', async () => {
    const tag = unique('tag')
    const made: TestUser[] = []
    for (const role of ['user', 'editor', 'user'] as const) made.push(await makeUser(server, { role }))
    for (const [n, { user }] of made.entries()) {
      await updateProfile(ctx, actorOf({ user }), {
        displayName: `${tag} ${n}`,
        username: `${unique('xyz'[n]!)}`,
      })
    }
    await ctx.db.update(users).set({ isActive: false }).where(eq(users.id, made[0]!.user.id))
    await ctx.db.update(users).set({ lastLoginAt: null }).where(eq(users.id, made[2]!.user.id))
    const ids = async (text: string) => {
      const answer = await ask('GET', `?search=${tag.toUpperCase()}&${text}`, admin)
      expectAnswer(answer, 200, { ...enveloped([LISTED]), pagination: PAGINATION })
      expectWithout(answer, 'argon2', ...NEVER_SHOWN)
      return answer.body.data.map(({ id }: { id: number }) => made.findIndex(({ user }) => user.id === id))
    }
    expect(await ids('')).toEqual([2, 1, 0])
    expect(await ids('role=all&status=all&sort_order=asc')).toEqual([0, 1, 2])
    expect(await ids('page=2&limit=2')).toEqual([0])
    expect(await ids('role=editor')).toEqual([1])
    expect(await ids('status=active')).toEqual([2, 1])
    expect(await ids('status=inactive')).toEqual([0])
    expect(await ids('sort_by=username')).toEqual([2, 1, 0])
    expect(await ids('sort_by=last_login_at')).toEqual([1, 0, 2])
    expect(await ids('sort_by=last_login_at&sort_order=asc')).toEqual([0, 1, 2])
    const byEmail = await ask('GET', `?search=%20${made[1]!.user.email}%20`, admin)
    expect(byEmail.body.pagination.total).toBe(1)
  })

  test.each(['role=king', 'status=maybe', 'sort_by=password_hash', 'limit=101', `search=${'x'.repeat(101)}`])(
    '?%s: 400',
    async (text) => {
      expectPortfolioError(await ask('GET', `?${text}`, admin), { status: 400, code: 'VALIDATION_ERROR' })
    },
  )

  test('is for administrators', async () => {
    const editor = await makeUser(server, { role: 'editor' })
    for (const path of ['', `/${user.user.id}`, `/${editor.user.id}`]) {
      denied(await ask('GET', path, editor), 'user.read', 'editor')
    }
    const shown = await ask('GET', `/${user.user.id}`, admin)
    expectAnswer(shown, 200, enveloped(LISTED))
    expect(shown.body.data).toMatchObject({ id: user.user.id, email: user.user.email, bio: '' })
  })
})

describe('POST /v1/users', () => {
  test('creates an account that can sign in', async () => {
    const body = input({ role: 'editor', display_name: '编辑者', is_active: true })
    const answer = await ask('POST', '', boss, { body })
    expectAnswer(answer, 201, enveloped(LISTED))
    const { username, email } = body
    expect(answer.body.data).toMatchObject({ username, email, role: 'editor', display_name: '编辑者' })
    const signIn = { body: { username, password: body.password } }
    expect((await api(server, 'POST', '/v1/auth/login', signIn)).status).toBe(200)
    const inactive = input({ is_active: false, username: undefined })
    const second = await ask('POST', '', boss, { body: inactive })
    expect(second.body.data).toMatchObject({ role: 'user', is_active: false })
    const refused = { body: { username: inactive.email, password: inactive.password } }
    expect((await api(server, 'POST', '/v1/auth/login', refused)).status).toBe(401)
  })

  test('refuses taken names, wrong fields, and administrators who may not', async () => {
    denied(await ask('POST', '', admin, { body: input() }), 'user.create', 'admin')
    const taken = { status: 409, code: 'RESOURCE_CONFLICT' }
    const { email, username } = user.user
    expectPortfolioError(await ask('POST', '', boss, { body: input({ email }) }), taken)
    expectPortfolioError(
      await ask('POST', '', boss, { body: input({ username: username.toUpperCase() }) }),
      taken,
    )
    const wrong = { status: 400, code: 'VALIDATION_ERROR' }
    const bad = [
      { email: 'x' },
      { password: 'short' },
      { role: 'king' },
      { username: 'a b c' },
      { display_name: '' },
    ]
    for (const fields of [...bad, { is_active: 'yes' }, { display_name: 'a\0b' }]) {
      expectPortfolioError(await ask('POST', '', boss, { body: input(fields) }), wrong)
    }
  })
})

describe('PUT /v1/users/{id}', () => {
  const put = (who: TestUser, { user }: TestUser, body: object) => ask('PUT', `/${user.id}`, who, { body })

  test('changes names, role and activation', async () => {
    const owner = await makeUser(server)
    const name = unique('renamed')
    const body = { username: name, email: `${name}@Example.com`, display_name: '高级编辑者', role: 'admin' }
    const answer = await put(admin, owner, body)
    expectAnswer(answer, 200, enveloped(LISTED))
    expect(answer.body.data).toMatchObject(body)
    expect((await put(admin, owner, {})).body.data).toEqual(answer.body.data)
    expect((await ask('GET', `?search=${name}`, admin)).body.pagination.total).toBe(1)
    for (const username of [name.toUpperCase(), `${name}@example.com`]) {
      const signIn = { body: { username, password: PASSWORD } }
      expect((await api(server, 'POST', '/v1/auth/login', signIn)).status).toBe(200)
    }
    // The role of a session that is open.
    expect((await ask('GET', '', owner)).status).toBe(200)
    expectPortfolioError(await put(admin, owner, { email: user.user.email }), {
      status: 409,
      code: 'RESOURCE_CONFLICT',
    })
  })

  test('a deactivation ends every session and socket; a reactivation brings none back', async () => {
    const owner = await makeUser(server)
    const live = await openLive(server, owner.token)
    expect((await put(admin, owner, { is_active: false })).body.data.is_active).toBe(false)
    expect((await live.next('session.revoked')).data.reason).toBe('account_deactivated')
    expect((await live.closing()).code).toBe(4403)
    expect(await isSignedIn(owner)).toBe(false)
    await put(admin, owner, { is_active: true })
    expect(await isSignedIn(owner)).toBe(false)
  })

  test('a new password ends every session, and its owner gets a mail; never of oneself', async () => {
    const owner = await makeUser(server)
    const password = 'another password'
    expect((await put(admin, owner, { password })).status).toBe(200)
    expect(await isSignedIn(owner)).toBe(false)
    const signIn = (text: string) =>
      api(server, 'POST', '/v1/auth/login', { body: { username: owner.user.username, password: text } })
    expect([(await signIn(PASSWORD)).status, (await signIn(password)).status]).toEqual([401, 200])
    expect(await mailTo(server, owner.user.email)).toBeDefined()
    expectPortfolioError(await put(admin, admin, { password }), { status: 400, code: 'VALIDATION_ERROR' })
    expect(await isSignedIn(admin)).toBe(true)
  })

  test('nobody changes a higher account or grants a higher role', async () => {
    denied(await put(admin, boss, { display_name: 'x' }), 'user.update', 'admin')
    const grant = await put(admin, user, { role: 'super_admin' })
    denied(grant, 'user.update', 'admin')
    expect(grant.body.message).toContain('higher than yours')
    denied(await put(user, user, { display_name: 'x' }), 'user.update', 'user')
    const wrong = { status: 400, code: 'VALIDATION_ERROR' }
    for (const fields of [{ role: null }, { display_name: null }, { username: 'x' }, { password: 'short' }]) {
      expectPortfolioError(await put(admin, user, fields), wrong)
    }
  })
})

test('DELETE /v1/users/{id} is for super administrators, and not for oneself', async () => {
  denied(await ask('DELETE', `/${user.user.id}`, admin), 'user.delete', 'admin')
  const own = await ask('DELETE', `/${boss.user.id}`, boss)
  expectPortfolioError(own, { status: 409, code: 'RESOURCE_CONFLICT' })
  expect(await isSignedIn(boss)).toBe(true)
})

describe('sessions', () => {
  const list = (who: TestUser, { user }: TestUser, text = '') =>
    ask('GET', `/${user.id}/sessions${text}`, who)
  const CHROME =
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36'

  test('show device, address and times, and which one is current', async () => {
    const owner = await makeUser(server)
    const signIn = await api(server, 'POST', '/v1/auth/login', {
      body: { username: owner.user.username, password: PASSWORD },
      headers: { 'user-agent': CHROME },
    })
    const token = signIn.body.data.access_token
    const answer = await ask('GET', `/${owner.user.id}/sessions`, { token })
    expectAnswer(answer, 200, { ...enveloped([SESSION]), pagination: PAGINATION })
    expect(answer.body.data).toMatchObject([
      {
        is_current: true,
        ip: '127.0.0.1',
        device: {
          browser: 'Chrome',
          browser_version: '126.0.0.0',
          os: 'Windows',
          os_version: '10',
          type: 'desktop',
        },
      },
      { is_current: false, device: { browser: 'test', os: '', type: 'unknown' } },
    ])
    expectWithout(answer, owner.refreshToken, signIn.body.data.refresh_token, ...NEVER_SHOWN)
    const seen = await list(admin, owner, '?limit=1')
    expect(seen.body.pagination).toMatchObject({ total: 2, total_pages: 2 })
    denied(await list(user, owner), 'user.read', 'user')
  })

  test('are last seen when a request or a refresh uses them, to a minute', async () => {
    const owner = await makeUser(server)
    const { id } = owner.user
    const age = () =>
      ctx.db
        .update(sessions)
        .set({ lastSeenAt: sql`now() - interval '2 hours'` })
        .where(eq(sessions.userId, id))
    const secondsAgo = async () => {
      await ctx.services.lastSeen.flush()
      const [session] = (await list(admin, owner)).body.data
      return (Date.now() - Date.parse(session.last_seen_at)) / 1000
    }
    await age()
    expect(await secondsAgo()).toBeGreaterThan(7000)
    expect(await isSignedIn(owner)).toBe(true)
    expect(await secondsAgo()).toBeLessThan(60)
    // The next request of this minute writes nothing.
    await age()
    expect(await isSignedIn(owner)).toBe(true)
    expect(await secondsAgo()).toBeGreaterThan(7000)
    const refreshed = await api(server, 'POST', '/v1/auth/refresh', {
      body: { refresh_token: owner.refreshToken },
    })
    expect(refreshed.status).toBe(200)
    expect(await secondsAgo()).toBeLessThan(60)
  })

  test('end one by one: tokens are refused, sockets close, the others stay', async () => {
    const owner = await makeUser(server)
    const [second, third] = [await signInAgain(server, owner), await signInAgain(server, owner)]
    const [live, staying] = [await openLive(server, second.token), await openLive(server, owner.token)]
    const mine = (await list(second, owner)).body.data
    const { id } = mine.find((session: { is_current: boolean }) => session.is_current)
    const end = (who: TestUser, session: string) =>
      ask('DELETE', `/${owner.user.id}/sessions/${session}`, who)
    denied(await end(user, id), 'user.update', 'user')
    expect((await end(owner, id)).status).toBe(204)
    expect((await staying.next('session.revoked')).data).toEqual({ session_id: id, reason: 'signed_out' })
    expect((await live.closing()).code).toBe(4403)
    expect(await Promise.all([second, third, owner].map(isSignedIn))).toEqual([false, true, true])
    expect((await end(owner, id)).status).toBe(204)
    expect((await end(owner, Bun.randomUUIDv7())).status).toBe(404)
    const [other] = (await list(third, owner)).body.data.filter((s: { is_current: boolean }) => s.is_current)
    expect((await end(admin, other.id.toUpperCase())).status).toBe(204)
    expect(
      (await staying.next('session.revoked', ({ data }) => data.session_id === other.id)).data.reason,
    ).toBe('ended_by_administrator')
    expect(await isSignedIn(third)).toBe(false)
    // A session of somebody else under one's own id.
    const [foreign] = (await list(user, user)).body.data
    expect((await end(owner, foreign.id)).status).toBe(404)
    expect(await isSignedIn(user)).toBe(true)
  })

  test('end all together, on request without the current one; never those of a higher account', async () => {
    const owner = await makeUser(server)
    const second = await signInAgain(server, owner)
    const endAll = (who: TestUser, { user }: TestUser, text = '') =>
      ask('DELETE', `/${user.id}/sessions${text}`, who)
    expect((await endAll(second, owner, '?except_current=true')).status).toBe(204)
    expect(await Promise.all([owner, second].map(isSignedIn))).toEqual([false, true])
    denied(await endAll(admin, boss), 'user.update', 'admin')
    expect((await endAll(admin, owner)).status).toBe(204)
    expect(await isSignedIn(second)).toBe(false)
    expect((await list(admin, owner)).body.data).toEqual([])
  })
})

describe('a request whose body is still arriving', () => {
  const endAll = ({ user }: TestUser) => ask('DELETE', `/${user.id}/sessions`, admin)
  const demote = ({ user }: TestUser) => ask('PUT', `/${user.id}`, boss, { body: { role: 'user' } })

  test.each([
    ['/api/v1/upload', 'INVALID_TOKEN', 401, endAll],
    ['/v1/upload/single', 'INVALID_TOKEN', 401, endAll],
    ['/v1/upload/single', 'PERMISSION_DENIED', 403, demote],
  ] as const)('an upload to %s ends: %s', async (path, code, status, change) => {
    const owner = await makeUser(server, { role: 'editor' })
    const live = await openLive(server, owner.token)
    // The first bytes tell the format.
    const video = path === '/api/v1/upload'
    const content = video ? mp4(100_000) : Buffer.concat([await picture96(), Buffer.alloc(100_000)])
    const slow = slowUpload(server, owner.token, content.byteLength + 1, path)
    slow.send(content)
    await live.next('upload.started')
    expect((await change(owner)).status).toBeWithin(200, 205)
    slow.send(new Uint8Array(1))
    expect(await slow.answer).toEqual({ status, code })
    const [kept] = await query(
      server,
      sql`select (select count(*) from materials where user_id = ${owner.user.id})
        + (select count(*) from photo_files where user_id = ${owner.user.id}) as n`,
    )
    expect(Number(kept!.n)).toBe(0)
  })

  test('a JSON body changes nothing', async () => {
    const owner = await makeUser(server, { role: 'editor' })
    const name = unique('tag')
    const text = JSON.stringify({ name })
    const body = new ReadableStream({
      async start(controller) {
        controller.enqueue(text.slice(0, 5))
        await Bun.sleep(100)
        await endAll(owner)
        controller.enqueue(text.slice(5))
        controller.close()
      },
    })
    const headers = { authorization: `Bearer ${owner.token}`, 'content-type': 'application/json' }
    const answer = await fetch(`${server.url}/v1/tags`, { method: 'POST', headers, body })
    expect(answer.status).toBe(401)
    expect(await query(server, sql`select 1 from tags where name = ${name}`)).toEqual([])
  })
})

test('user.login reaches the user, and only those administrators who have webhooks', async () => {
  const [owner, hooked] = [await makeUser(server), await makeUser(server, { role: 'admin' })]
  await ctx.db.execute(
    sql`insert into channels (user_id, last_seq, hooks) values (${hooked.user.id}, 0, '{"user.login": []}')`,
  )
  const [own, theirs, without] = await Promise.all(
    [owner, hooked, admin].map(({ token }) => openLive(server, token)),
  )
  const signIn = { body: { username: owner.user.username, password: PASSWORD } }
  await api(server, 'POST', '/v1/auth/login', signIn)
  const { id, username, email } = owner.user
  for (const live of [own!, theirs!]) {
    const { data } = await live.next('user.login')
    expect(data).toMatchObject({ id, username, email, role: 'user', ip: '127.0.0.1' })
  }
  await api(server, 'PUT', `/v1/users/${admin.user.id}`, {
    token: boss.token,
    body: { display_name: 'later' },
  })
  await without!.next('user.updated')
  expect(without!.frames.some(({ type }) => type === 'user.login')).toBe(false)
})
