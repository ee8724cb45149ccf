import { afterAll, describe, expect, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import { updateProfile } from '../../../src/core/accounts/accounts.ts'
import { readEvents } from '../../../src/core/channel/log.ts'
import { users } from '../../../src/db/schema/index.ts'
import { actorOf } from '../../support/actors.ts'
import { describedApi } from '../../support/described.ts'
import { makeTask, makeUser, unique } from '../../support/factories.ts'
import { balanceChangesOf } from '../../support/ledger.ts'
import { query, startServer } from '../../support/server.ts'
import {
  enveloped,
  expectAnswer,
  expectFactoryError,
  expectWithout,
  NEVER_SHOWN,
  type Shape,
} from '../../support/shapes.ts'

const server = await startServer()
afterAll(() => server.stop())
const ask = describedApi(server)
const admin = await makeUser(server, { role: 'admin' })
const list = (text: string) => ask('GET', `/api/admin/users?${text}`, { token: admin.token })
const put = (id: number | string, body: unknown) =>
  ask('PUT', `/api/admin/users/${id}`, { token: admin.token, body })

const STUDY = {
  id: 'integer',
  username: 'string',
  email: 'string',
  role: 'string',
  is_active: 'boolean',
  created_at: 'instant',
} satisfies Shape
const FACTORY = {
  id: 'uuid',
  email: 'string',
  username: 'string',
  full_name: 'string',
  role: 'string',
  balance: 'money',
  total_tasks: 'integer',
  is_active: 'boolean',
  created_at: 'instant',
  last_login: 'instant|null',
} satisfies Shape
const PAGE = {
  total: 'integer',
  page: 'integer',
  page_size: 'integer',
  total_pages: 'integer',
} satisfies Shape
const LIST = { ...PAGE, items: [STUDY], ...enveloped({ ...PAGE, items: [FACTORY] }) } satisfies Shape
const ONE = { ...STUDY, ...enveloped(FACTORY) }

describe('GET /api/admin/users', () => {
  test('shows every documented field at both levels, and nothing secret', async () => {
    const owner = await makeUser(server, { balanceMinor: 1234, role: 'editor' })
    await makeTask(server, owner)
    await makeTask(server, owner)
    const answer = await list(`search=${owner.user.username}`)
    expectAnswer(answer, 200, LIST)
    expect(answer.body).toMatchObject({ total: 1, items: [{ id: owner.user.id, email: owner.user.email }] })
    expect(answer.body.data.items).toMatchObject([
      { id: owner.user.uuid, role: 'editor', balance: 12.34, total_tasks: 2, is_active: true },
    ])
    expectWithout(answer, 'argon2', owner.token, owner.refreshToken, ...NEVER_SHOWN)
  })

  test('pages, newest first; filters by role and state', async () => {
    const tag = unique('tag')
    const made: { id: number }[] = []
    for (const role of ['user', 'editor', 'user'] as const) {
      const { user } = await makeUser(server, { role })
      await updateProfile(server.ctx, actorOf({ user }), { displayName: `${tag} ${role}` })
      made.push(user)
    }
    await query(server, sql`update users set is_active = false where id = ${made[0]!.id}`)
    const ids = async (text: string) =>
      (await list(`search=${tag}&${text}`)).body.items.map((item: { id: number }) =>
        made.findIndex(({ id }) => id === item.id),
      )
    expect(await ids('')).toEqual([2, 1, 0])
    expect(await ids('page=2&page_size=2')).toEqual([0])
    expect(await ids('role=user')).toEqual([2, 0])
    expect(await ids('is_active=true')).toEqual([2, 1])
    expect(await ids('role=user&is_active=false')).toEqual([0])
    expect(await ids('role=admin')).toEqual([])
  })

  test('a search means its characters, not a pattern', async () => {
    const { user } = await makeUser(server)
    await updateProfile(server.ctx, actorOf({ user }), { displayName: '100% _a\\b' })
    for (const text of ['100%', '_a', 'a\\b', "'", '"', '%_%']) {
      const { body } = await list(`search=${encodeURIComponent(text)}`)
      const found = body.items.some((item: { id: number }) => item.id === user.id)
      expect(found, text).toBe(!["'", '"', '%_%'].includes(text))
    }
    expect((await list(`search=${user.email.toUpperCase()}`)).body.total).toBe(1)
  })

  test.each([
    ['role=king', 'role'],
    ['is_active=maybe', 'is_active'],
    ['is_active=', 'is_active'],
    ['page=0', 'page'],
    ['page_size=101', 'page_size'],
    [`search=${'x'.repeat(101)}`, 'search'],
  ])('?%s: 422', async (text, field) => {
    expectFactoryError(await list(text), { status: 422, code: 'VALIDATION_ERROR', fields: [field] })
  })
})

describe('PUT /api/admin/users/{id}', () => {
  test('changes role, state and balance, by either id', async () => {
    const { user } = await makeUser(server)
    const answer = await put(user.id, { role: 'admin', is_active: false, balance: 200.0 })
    expectAnswer(answer, 200, ONE)
    expect(answer.body).toMatchObject({
      id: user.id,
      role: 'admin',
      is_active: false,
      data: { id: user.uuid, role: 'admin', is_active: false, balance: 200, available_balance: 200 },
    })
    const back = await put(user.uuid.toUpperCase(), { role: 'user', is_active: true })
    expect(back.body.data).toMatchObject({ role: 'user', is_active: true, balance: 200 })
    expect((await put(user.uuid, {})).body.data).toEqual(back.body.data)
    expectWithout(answer, 'argon2', ...NEVER_SHOWN)
  })

  test('a balance is an adjusting entry by the one who made it, and the owner hears of it', async () => {
    const { user } = await makeUser(server)
    await put(user.id, { balance: 100.5 })
    await put(user.id, { balance: 100.5 })
    await put(user.id, { balance: 30.05 })
    await put(user.id, { balance: 0 })
    const entry = { kind: 'adjustment', reference: null, createdBy: admin.user.id }
    expect(await balanceChangesOf(server, user.id)).toEqual(
      [10_050, -7045, -3005].map((amount) => ({ ...entry, amount })),
    )
    const events = await readEvents(server.ctx, user.id, 0, 10)
    expect(events.map(({ type, data }) => [type, JSON.parse(data)])).toEqual(
      [100.5, 30.05, 0].map((balance) => [
        'balance.changed',
        { balance, available_balance: balance, reason: 'adjustment' },
      ]),
    )
  })

  test.each([0.01, 0.1, 0.29, 1.1, 19.99, 1234.56, 999_999_999.99])(
    '%p is kept to the cent',
    async (balance) => {
      const { user, token } = await makeUser(server)
      expect((await put(user.id, { balance })).body.data.balance).toBe(balance)
      expect((await ask('GET', '/api/users/me', { token })).body.data.balance).toBe(balance)
    },
  )

  test('what is not an administrator to change stays as it is', async () => {
    const { user } = await makeUser(server)
    const answer = await put(user.id, { password: 'new password', id: 1, total_tasks: 9, created_at: '2020' })
    expect(answer.body.data).toMatchObject({
      id: user.uuid,
      total_tasks: 0,
      created_at: user.createdAt.toISOString(),
    })
    const [row] = await server.ctx.db.select().from(users).where(eq(users.id, user.id))
    expect(row!.passwordHash).toBe(user.passwordHash)
  })

  test.each<[string, object, string]>([
    ['a role that there is not', { role: 'king' }, 'role'],
    ['a role that is null', { role: null }, 'role'],
    ['a state in words', { is_active: 'true' }, 'is_active'],
    ['a state as a number', { is_active: 1 }, 'is_active'],
    ['a debt', { balance: -0.01 }, 'balance'],
    ['a fortune', { balance: 1_000_000_000.01 }, 'balance'],
    ['a balance in words', { balance: '5' }, 'balance'],
    ['a balance that is null', { balance: null }, 'balance'],
  ])('%s: 422, and nothing has changed', async (_, body, field) => {
    const { user } = await makeUser(server, { balanceMinor: 700 })
    const answer = await put(user.id, { ...body, ...(field !== 'role' && { role: 'editor' }) })
    expectFactoryError(answer, { status: 422, code: 'VALIDATION_ERROR', fields: [field] })
    expect((await put(user.id, {})).body.data).toMatchObject({ role: 'user', is_active: true, balance: 7 })
  })
})
