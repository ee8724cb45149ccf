/** The permissions of the roles: docs/design.md, "Roles". */
import { afterAll, describe, expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { updateAccount } from '../../../src/core/accounts/administration.ts'
import { isAdmin, may, type Permission, ROLES, type Role } from '../../../src/core/accounts/permissions.ts'
import { openSession } from '../../../src/core/accounts/sessions.ts'
import { users } from '../../../src/db/schema/index.ts'
import { actorOf } from '../../support/actors.ts'
import { api } from '../../support/api.ts'
import { makeUser, type TestUser } from '../../support/factories.ts'
import { moneyOf } from '../../support/ledger.ts'
import { startServer, type TestServer } from '../../support/server.ts'
import { expectFactoryError, expectPortfolioError } from '../../support/shapes.ts'

const [server, lonely] = [await startServer(), await startServer()]
afterAll(() => Promise.all([server.stop(), lonely.stop()]))
const put = (on: TestServer, by: TestUser, to: TestUser, body: object) =>
  api(on, 'PUT', `/api/admin/users/${to.user.id}`, { token: by.token, body })
const roleOf = async (on: TestServer, { user }: TestUser) =>
  (await on.ctx.db.select().from(users).where(eq(users.id, user.id)))[0]!

describe('the permissions of each role', () => {
  const TABLE: [Permission, Role[]][] = [
    ['photo.read', ['super_admin', 'admin', 'editor', 'user']],
    ['photo.create', ['super_admin', 'admin', 'editor']],
    ['photo.update', ['super_admin', 'admin', 'editor']],
    ['photo.delete', ['super_admin', 'admin']],
    ['category.read', ['super_admin', 'admin', 'editor', 'user']],
    ['category.create', ['super_admin', 'admin']],
    ['tag.create', ['super_admin', 'admin', 'editor']],
    ['tag.delete', ['super_admin', 'admin']],
    ['upload.create', ['super_admin', 'admin', 'editor']],
    ['timeline.create', ['super_admin', 'admin']],
    ['webhook.create', ['super_admin', 'admin']],
    ['stats.read', ['super_admin', 'admin']],
    ['settings.update', ['super_admin', 'admin']],
    ['user.read', ['super_admin', 'admin']],
    ['user.update', ['super_admin', 'admin']],
    ['user.create', ['super_admin']],
    ['user.delete', ['super_admin']],
    // A permission that no role is granted by name.
    ['anything.else' as Permission, ['super_admin']],
  ]
  test.each(TABLE)('%s', (permission, roles) => {
    expect(ROLES.filter((role) => may(role, permission)).sort()).toEqual([...roles].sort())
  })
  test('two of them are administrators', () => {
    expect(ROLES.filter(isAdmin)).toEqual(['admin', 'super_admin'])
  })
})

const people = Object.fromEntries(
  await Promise.all(ROLES.map(async (role) => [role, await makeUser(server, { role })] as const)),
) as Record<Role, TestUser>

test.each<Role>(['admin', 'super_admin'])('an %s cannot deactivate or demote themselves', async (role) => {
  const self = await makeUser(server, { role })
  const own = { status: 409, code: 'OWN_ACCOUNT' }
  expectFactoryError(await put(server, self, self, { is_active: false }), own)
  expectFactoryError(await put(server, self, self, { role: 'user' }), own)
  const answer = await api(server, 'PUT', `/v1/users/${self.user.id}`, {
    token: self.token,
    body: { is_active: false },
  })
  expectPortfolioError(answer, { status: 409, code: 'RESOURCE_CONFLICT' })
  const same = await put(server, self, self, { role, is_active: true })
  expect([same.status, await roleOf(server, self)]).toMatchObject([200, { role, isActive: true }])
})

describe('nobody grants a role above their own, or changes a user of one', () => {
  const cases = ROLES.flatMap((by) => ROLES.flatMap((from) => ROLES.map((to) => [by, from, to] as const)))

  test.each(cases)('%s makes %s a %s', async (by, from, to) => {
    const target = await makeUser(server, { role: from })
    const rank = (role: Role) => ROLES.indexOf(role)
    const allowed = isAdmin(by) && rank(from) <= rank(by) && rank(to) <= rank(by)
    const answer = await put(server, people[by], target, { role: to })
    if (!allowed) expectFactoryError(answer, { status: 403, code: 'ACCESS_DENIED' })
    else expect(answer.status).toBe(200)
    expect((await roleOf(server, target)).role).toBe(allowed ? to : from)
  })

  test.each([{ is_active: false }, { balance: 5 }, {}])(
    'an admin can not set %j of a super_admin',
    async (body) => {
      const target = await makeUser(server, { role: 'super_admin' })
      expectFactoryError(await put(server, people.admin, target, body), {
        status: 403,
        code: 'ACCESS_DENIED',
      })
      expect(await roleOf(server, target)).toMatchObject({ isActive: true })
      expect((await moneyOf(server, target.user.id)).balance).toBe(0)
    },
  )
})

describe('the last super_admin', () => {
  /** Runs on a separate server, on which only the first administrator is super_admin. */
  async function alone(run: (first: TestUser) => Promise<void>): Promise<void> {
    const { db } = lonely.ctx
    const [user] = await db.select().from(users).where(eq(users.email, 'admin@example.com'))
    await db.update(users).set({ role: 'user' }).where(eq(users.role, 'super_admin'))
    await db.update(users).set({ role: 'super_admin', isActive: true }).where(eq(users.id, user!.id))
    const session = await openSession(lonely.ctx, user!, 30, {
      ip: '127.0.0.1',
      userAgent: undefined,
      requestId: 'test',
    })
    await run({ user: user!, password: '', token: session.accessToken, refreshToken: session.refreshToken })
  }

  test('is the first administrator of a new database', async () => {
    const body = { email: 'admin@example.com', password: 'admin123' }
    const answer = await api(server, 'POST', '/api/auth/login', { body })
    expect(answer.body.data.user.role).toBe('super_admin')
  })

  test('cannot be demoted or deactivated; a deactivated super_admin does not count', () =>
    alone(async (first) => {
      const idle = await makeUser(lonely, { role: 'super_admin', isActive: false })
      for (const body of [{ role: 'admin' }, { is_active: false }, { role: 'user', is_active: false }]) {
        expectFactoryError(await put(lonely, first, first, body), { status: 409, code: 'LAST_SUPER_ADMIN' })
      }
      expect(await roleOf(lonely, first)).toMatchObject({ role: 'super_admin', isActive: true })
      expect((await put(lonely, first, first, { role: 'super_admin', balance: 1 })).status).toBe(200)
      expect((await put(lonely, first, idle, { role: 'user' })).status).toBe(200)

      const second = await makeUser(lonely, { role: 'super_admin' })
      expect((await put(lonely, second, first, { role: 'user' })).status).toBe(200)
      expectFactoryError(await put(lonely, second, second, { role: 'user' }), {
        status: 409,
        code: 'LAST_SUPER_ADMIN',
      })
    }))

  test('remains when the last two demote or deactivate each other at the same moment', () =>
    alone(async () => {
      const { ctx } = lonely
      for (const change of [{ role: 'user' as const }, { isActive: false }, { role: 'admin' as const }]) {
        await ctx.db.update(users).set({ role: 'user' }).where(eq(users.role, 'super_admin'))
        const [a, b] = [
          await makeUser(lonely, { role: 'super_admin' }),
          await makeUser(lonely, { role: 'super_admin' }),
        ]
        // Not over HTTP, so that both permission checks come before both changes.
        const outcomes = await Promise.allSettled([
          updateAccount(ctx, actorOf(a), String(b.user.id), change),
          updateAccount(ctx, actorOf(b), String(a.user.id), change),
        ])
        expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
        const failed = outcomes.find((outcome) => outcome.status === 'rejected') as PromiseRejectedResult
        expect(failed.reason.code).toBe('LAST_SUPER_ADMIN')
        const left = await ctx.db.select().from(users).where(eq(users.role, 'super_admin'))
        expect(left.filter(({ isActive }) => isActive).length).toBe(1)
      }
    }))
})
