/** Protects docs/contracts/factory.md, "Money" and "Statement". */
import { afterAll, describe, expect, test } from 'bun:test'
import { SERVER } from '../../../src/core/audit/audit.ts'
import { readEvents } from '../../../src/core/channel/log.ts'
import { transfer } from '../../../src/core/money/transfers.ts'
import { reconcile } from '../../../src/core/reconciliation/reconcile.ts'
import { updateSystemConfig } from '../../../src/core/system/settings.ts'
import { transaction } from '../../../src/core/transaction.ts'
import { api } from '../../support/api.ts'
import { describedApi } from '../../support/described.ts'
import { makeUser, type TestUser } from '../../support/factories.ts'
import { addMoney, moneyOf } from '../../support/ledger.ts'
import { startServer } from '../../support/server.ts'
import { expectFactoryError } from '../../support/shapes.ts'

const server = await startServer()
afterAll(() => server.stop())
const ask = describedApi(server)
const { ctx } = server
await updateSystemConfig(ctx, SERVER, { taskPrices: { paid: 10 } })
const admin = await makeUser(server, { role: 'admin' })

const create = ({ token }: TestUser, body: object = {}) =>
  ask('POST', '/api/tasks', {
    token,
    body: { title: 't', task_type: 'paid', estimated_duration: 3, ...body },
  })
const setBalance = ({ user }: TestUser, balance: number) =>
  ask('PUT', `/api/admin/users/${user.id}`, { token: admin.token, body: { balance } })
const eventsOf = async ({ user }: TestUser, type: string) =>
  (await readEvents(ctx, user.id, 0, 100))
    .filter((event) => event.type === type)
    .map(({ data }) => JSON.parse(data))

describe('the estimated cost', () => {
  test.each([
    [{}, 0.3],
    [{ estimated_duration: undefined }, 3],
    [{ task_type: 'test' }, 0],
    [{ task_type: undefined, estimated_duration: undefined, course_ids: ['1'] }, 0],
  ])('of %j is %p, at both levels of detail', async (body, cost) => {
    const owner = await makeUser(server, { balanceMinor: 300 })
    const made = await create(owner, body)
    expect(made.body.data).toMatchObject({ estimated_cost: cost, cost: 0 })
    const shown = await ask('GET', `/api/tasks/${made.body.data.id}`, { token: owner.token })
    expect(shown.body.data.estimated_cost).toBe(cost)
  })
})

describe('a balance below what tasks hold', () => {
  test('cannot be set: 409 says how much is held, and nothing changes', async () => {
    const owner = await makeUser(server, { balanceMinor: 100 })
    const { id } = (await create(owner)).body
    const refused = await setBalance(owner, 0.29)
    expectFactoryError(refused, { status: 409, code: 'INVALID_STATE' })
    expect(refused.body.message).toContain('0.3')
    expect(await moneyOf(server, owner.user.id)).toEqual({ balance: 100, held: 30 })
    expect((await setBalance(owner, 0.3)).body.data).toMatchObject({ balance: 0.3, available_balance: 0 })
    await ask('POST', `/api/tasks/${id}/cancel`, { token: owner.token })
    expect((await setBalance(owner, 0)).status).toBe(200)
  })
})

describe('low_balance_threshold', () => {
  const put = ({ token }: TestUser, threshold: unknown) =>
    ask('PUT', '/api/users/me', { token, body: { low_balance_threshold: threshold } })

  test('is null at first, and is what its owner sets', async () => {
    const owner = await makeUser(server)
    const shown = async () => (await ask('GET', '/api/users/me', { token: owner.token })).body.data
    expect((await shown()).low_balance_threshold).toBeNull()
    for (const threshold of [12.34, 0, 1_000_000_000, null]) {
      expect((await put(owner, threshold)).body.data.low_balance_threshold).toBe(threshold)
      expect((await shown()).low_balance_threshold).toBe(threshold)
    }
    expect(await eventsOf(owner, 'user.updated')).toEqual(
      Array(4).fill({ fields: ['low_balance_threshold'] }),
    )
  })

  test.each([-0.01, 0.001, 1_000_000_001, '5', true])('%p: 422', async (threshold) => {
    const answer = await put(await makeUser(server), threshold)
    expectFactoryError(answer, { status: 422, code: 'VALIDATION_ERROR', fields: ['low_balance_threshold'] })
  })

  test('balance.low comes once when the available balance falls below it, and again after it was above', async () => {
    const owner = await makeUser(server, { balanceMinor: 120 })
    await put(owner, 0.9)
    await create(owner)
    expect(await eventsOf(owner, 'balance.low')).toEqual([])
    const { id } = (await create(owner)).body
    await create(owner, { estimated_duration: 1 })
    const low = { balance: 1.2, available_balance: 0.6, threshold: 0.9 }
    expect(await eventsOf(owner, 'balance.low')).toEqual([low])
    await ask('POST', `/api/tasks/${id}/cancel`, { token: owner.token })
    await setBalance(owner, 2)
    await setBalance(owner, 0.5)
    expect(await eventsOf(owner, 'balance.low')).toEqual([
      low,
      { balance: 0.5, available_balance: 0.1, threshold: 0.9 },
    ])
  })

  test('one that is set above the balance waits for the balance to be above it first', async () => {
    const owner = await makeUser(server, { balanceMinor: 100 })
    await put(owner, 5)
    await create(owner)
    expect(await eventsOf(owner, 'balance.low')).toEqual([])
  })
})

test('sixty requests at once that hold, release and adjust: no balance is below zero, and everything adds up', async () => {
  const owners = await Promise.all([0, 1, 2].map(() => makeUser(server, { balanceMinor: 100 })))
  const held = await Promise.all(owners.map(async (owner) => (await create(owner)).body.id as string))
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, n) => {
      const owner = owners[n % 3]!
      if (n % 4 === 0) return setBalance(owner, [0, 0.31, 0.9, 2][(n / 4) % 4]!)
      if (n % 4 === 1)
        return ask('POST', `/api/tasks/${held[n % 3]}/${n % 8 === 1 ? 'cancel' : 'retry'}`, {
          token: owner.token,
        })
      return create(owner)
    }),
  )
  expect(answers.filter(({ status }) => ![200, 201, 400, 409].includes(status))).toEqual([])
  expect(answers.filter(({ status }) => status === 201).length).toBeGreaterThan(0)
  expect(answers.filter(({ body }) => body.error_code === 'INSUFFICIENT_BALANCE').length).toBeGreaterThan(0)
  expect(await reconcile(ctx)).toMatchObject({ differences: 0, found: [] })
})

describe('GET /api/recharge/statement', () => {
  const statement = async ({ token }: TestUser, search = '', headers: Record<string, string> = {}) => {
    const {
      status,
      text,
      headers: got,
    } = await api(server, 'GET', `/api/recharge/statement${search}`, { token, headers })
    return { status, got, text, rows: text.trimEnd().split('\r\n') }
  }
  const en = { 'accept-language': 'en' }

  test('has every transfer with the balances after it, the oldest first', async () => {
    const owner = await makeUser(server)
    const reference = Bun.randomUUIDv7()
    await transaction(ctx, (tx) =>
      transfer(tx, owner.user.id, {
        kind: 'redemption',
        amountMinor: 10_000,
        key: `redemption:${reference}`,
        reference,
      }),
    )
    const { id } = (await create(owner, { title: '分析, "片段" 1' })).body.data
    await ask('POST', `/api/tasks/${id}/cancel`, { token: owner.token })
    await setBalance(owner, 0.5)
    const { rows, got, status } = await statement(owner, '', en)
    expect(status).toBe(200)
    expect(got.get('content-type')).toBe('text/csv; charset=utf-8')
    expect(got.get('content-disposition')).toBe('attachment; filename="statement.csv"')
    expect(rows[0]).toBe('Time,Type,Task,Balance change,Balance,Available change,Available balance,Reference')
    const title = '"分析, ""片段"" 1"'
    expect(rows.slice(1).map((row) => row.slice(row.indexOf(',') + 1))).toEqual([
      `Recharge,,100.00,100.00,100.00,100.00,${reference}`,
      `Hold,${title},0.00,100.00,-0.30,99.70,${id}`,
      `Release,${title},0.00,100.00,0.30,100.00,${id}`,
      'Adjustment,,-99.50,0.50,-99.50,0.50,',
    ])
    for (const row of rows.slice(1)) expect(row).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z,/)
  })

  test('is Chinese without Accept-Language, begins with a byte order mark, and is gzip when accepted', async () => {
    const owner = await makeUser(server, { balanceMinor: 5 })
    const { rows, got } = await statement(owner, '', { 'accept-encoding': 'gzip' })
    const headers = { authorization: `Bearer ${owner.token}` }
    const bytes = await (await fetch(`${server.url}/api/recharge/statement`, { headers })).bytes()
    expect([...bytes.slice(0, 3)]).toEqual([0xef, 0xbb, 0xbf])
    expect(rows[0]).toStartWith('时间,类型,任务,')
    expect(rows[1]).toContain(',管理员调整,,0.05,0.05,0.05,0.05,')
    expect(got.get('content-encoding')).toBe('gzip')
  })

  test.each(['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '＝1+1'])(
    'a title %j cannot become a formula',
    async (title) => {
      const owner = await makeUser(server, { balanceMinor: 30 })
      await create(owner, { title })
      expect((await statement(owner)).text).toContain(`,'${title},`)
    },
  )

  test('of some days has the balances of all', async () => {
    const owner = await makeUser(server, { balanceMinor: 5 })
    const today = new Date().toISOString().slice(0, 10)
    expect(
      (await statement(owner, `?start_date=${today}&end_date=${today}`)).got.get('content-disposition'),
    ).toContain(`statement-${today}-${today}.csv`)
    expect((await statement(owner, '?start_date=2020-01-01')).rows).toHaveLength(2)
    expect((await statement(owner, '?end_date=2020-01-01')).rows).toHaveLength(1)
    expect((await statement(owner, '?start_date=2999-01-01')).rows).toHaveLength(1)
    for (const search of ['?start_date=2026-02-30', '?end_date=yesterday'])
      expectFactoryError(await ask('GET', `/api/recharge/statement${search}`, { token: owner.token }), {
        status: 422,
        code: 'VALIDATION_ERROR',
      })
  })

  test("goes through pages, and shows nobody another's", async () => {
    const [owner, other] = [await makeUser(server), await makeUser(server, { balanceMinor: 7 })]
    // More than a page.
    const transfers = Array.from({ length: 1100 }, () => 1)
    await addMoney(server, owner.user.id, ...transfers)
    const { rows } = await statement(owner)
    expect(rows).toHaveLength(1101)
    expect(rows.at(-1)).toContain(',0.01,11.00,0.01,11.00,')
    expect((await statement(other)).rows).toHaveLength(2)
    expect((await ask('GET', '/api/recharge/statement')).status).toBe(401)
  })
})
