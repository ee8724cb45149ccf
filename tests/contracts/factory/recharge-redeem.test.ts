/** Protects docs/contracts/factory.md, "Recharge codes": what users redeem. The same tests run on PostgreSQL. */
import { afterAll, describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { describedApi } from '../../support/described.ts'
import { makeUser, type TestUser } from '../../support/factories.ts'
import { query, startServer } from '../../support/server.ts'
import {
  enveloped,
  expectAnswer,
  expectFactoryError,
  expectWithout,
  type Shape,
} from '../../support/shapes.ts'

const server = await startServer({ RATE_LIMITS: 'on', TRUSTED_PROXIES: '127.0.0.1' })
afterAll(() => server.stop())
const ask = describedApi(server)
const { token: admin } = await makeUser(server, { role: 'admin' })
const made = async (body: object = {}): Promise<{ id: string; code: string }> => {
  const answer = await ask('POST', '/api/recharge/codes', { token: admin, body: { amount: 10, ...body } })
  return answer.body.data.codes[0]
}
/** Every user has a network of their own. */
const addressOf = ({ user }: TestUser) => `10.0.${user.id >> 8}.${user.id & 255}`
const redeem = (user: TestUser, code: unknown, headers: Record<string, string> = {}) =>
  ask('POST', '/api/recharge/redeem', {
    token: user.token,
    body: { code },
    headers: { 'x-forwarded-for': addressOf(user), ...headers },
  })
const balanceOf = async ({ token }: TestUser) =>
  (await ask('GET', '/api/users/me', { token })).body.data.balance
const showCode = async (id: string) =>
  (await ask('GET', `/api/recharge/codes/${id}`, { token: admin })).body.data
const recordsOf = async ({ token }: TestUser) =>
  (await ask('GET', '/api/recharge/records', { token })).body.data
const INVALID = { status: 400, code: 'INVALID_RECHARGE_CODE' }

const REDEEMED = { amount: 'money', new_balance: 'money', recharge_record_id: 'uuid' } satisfies Shape
const RECORD = { id: 'uuid', code: 'string', amount: 'money', created_at: 'instant' } satisfies Shape

describe('POST /api/recharge/redeem', () => {
  test('adds the amount to the balance, and tells it in the answer, the records, the ledger and an event', async () => {
    const user = await makeUser(server, { balanceMinor: 15_000 })
    const { id, code } = await made({ amount: 100 })
    const { cursor } = (await ask('POST', '/api/ws/ticket', { token: user.token })).body.data
    const answer = await redeem(user, code)
    expectAnswer(answer, 200, enveloped(REDEEMED))
    const { recharge_record_id: record } = answer.body.data
    expect(answer.body.data).toMatchObject({ amount: 100, new_balance: 250 })
    expect(await balanceOf(user)).toBe(250)
    expect((await recordsOf(user)).items).toMatchObject([{ id: record, amount: 100 }])
    expect(await showCode(id)).toMatchObject({ status: 'used', used_count: 1 })
    const entries = await query(
      server,
      sql`select e.account, e.side, e.amount_minor::int as amount, t.created_by from ledger_transfers t
        join ledger_entries e on e.transfer_id = t.id where t.key = ${`redemption:${record}`} order by e.side`,
    )
    const by = { amount: 10_000, created_by: user.user.id }
    expect(entries).toEqual([
      { account: 'available', side: 'credit', ...by },
      { account: 'recharge', side: 'debit', ...by },
    ])
    const { events } = (await ask('GET', `/api/events?cursor=${cursor}`, { token: user.token })).body
    expect(events).toMatchObject([
      { type: 'balance.changed', data: { balance: 250, available_balance: 250, reason: 'redemption' } },
    ])
  })

  test('tells the balance exactly, with an Idempotency-Key and without', async () => {
    const user = await makeUser(server)
    const { cursor } = (await ask('POST', '/api/ws/ticket', { token: user.token })).body.data
    const amounts = [12.34, 0.06, 7.6, 1_000_000]
    for (const [n, amount] of amounts.entries())
      await redeem(user, (await made({ amount })).code, n % 2 === 0 ? {} : { 'idempotency-key': `key-${n}` })
    const { events } = (await ask('GET', `/api/events?cursor=${cursor}`, { token: user.token })).body
    expect(events.map(({ data }: { data: object }) => data)).toEqual(
      [12.34, 12.4, 20, 1_000_020].map((balance) => ({
        balance,
        available_balance: balance,
        reason: 'redemption',
      })),
    )
  })

  test('takes a code as people write it', async () => {
    const user = await makeUser(server)
    const { code } = await made({ max_uses: 100 })
    const full = [...code].map((c) => String.fromCodePoint(c.codePointAt(0)! + 0xfee0)).join('')
    const writings = [
      code.toLowerCase(),
      code.replaceAll('-', ''),
      `  ${code.replaceAll('-', ' ')}\n`,
      code.replaceAll('-', '_').toLowerCase(),
      code.replaceAll('-', '—'),
      full,
      full.toLowerCase(),
      `\u200b${code}\ufeff`,
    ]
    for (const writing of writings) {
      const other = await makeUser(server)
      expect((await redeem(other, writing)).status, writing).toBe(200)
    }
    expect((await redeem(user, code)).status).toBe(200)
  })

  test('answers every code that cannot be redeemed alike, and changes nothing', async () => {
    const user = await makeUser(server)
    const own = await made({ max_uses: 5 })
    const used = await made()
    const disabled = await made()
    await redeem(user, own.code)
    await redeem(await makeUser(server), used.code)
    await ask('PUT', `/api/recharge/codes/${disabled.id}`, { token: admin, body: { disabled: true } })
    const { code } = await made()
    const codes = {
      unknown: 'OWL-ABCD-1234-EFGH',
      'with another last character': code.slice(0, -1) + (code.endsWith('A') ? 'B' : 'A'),
      expired: (await made({ expires_at: '2024-12-31T23:59:59Z' })).code,
      disabled: disabled.code,
      'used up': used.code,
      'redeemed by this user before': own.code,
      malformed: 'not a code',
      empty: '',
      'very long': 'OWL'.repeat(5000),
    }
    const other = await makeUser(server)
    const bodies = new Set<string>()
    for (const [what, text] of Object.entries(codes)) {
      const answer = await redeem(what.startsWith('redeemed') ? user : other, text)
      expectFactoryError(answer, INVALID)
      if (text) expectWithout(answer, text)
      bodies.add(answer.text)
    }
    expect(bodies.size).toBe(1)
    expect(await balanceOf(other)).toBe(0)
    expect(await balanceOf(user)).toBe(10)
    expect(await recordsOf(other)).toMatchObject({ items: [], total: 0 })
    expect(await showCode(own.id)).toMatchObject({ used_count: 1 })
    expect(await showCode(disabled.id)).toMatchObject({ used_count: 0 })
  })

  test.each([{}, { code: 5 }, { code: null }, { code: ['OWL-ABCD-2345-EFGH'] }])(
    'refuses %j',
    async (body) => {
      const { token } = await makeUser(server)
      const answer = await ask('POST', '/api/recharge/redeem', { token, body })
      expectFactoryError(answer, { status: 422, code: 'VALIDATION_ERROR', fields: ['code'] })
    },
  )

  test('of 50 users who redeem a code for one use at once, exactly one gets it', async () => {
    const users = await Promise.all(Array.from({ length: 50 }, () => makeUser(server)))
    const { id, code } = await made()
    const answers = await Promise.all(users.map((user) => redeem(user, code)))
    const statuses = answers.map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
    expect(statuses.filter((status) => status === 400)).toHaveLength(49)
    const balances = await Promise.all(users.map(balanceOf))
    expect(balances.reduce((sum, balance) => sum + balance)).toBe(10)
    expect(balances[statuses.indexOf(200)]).toBe(10)
    expect(await showCode(id)).toMatchObject({ status: 'used', used_count: 1 })
  })

  test('a user who redeems one code ten times at once gets it once, and the others keep their uses', async () => {
    const user = await makeUser(server)
    const { id, code } = await made({ max_uses: 3 })
    const answers = await Promise.all(Array.from({ length: 10 }, () => redeem(user, code)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(await balanceOf(user)).toBe(10)
    expect(await showCode(id)).toMatchObject({ status: 'active', used_count: 1 })
    const others = await Promise.all([makeUser(server), makeUser(server), makeUser(server)])
    const more = await Promise.all(others.map((other) => redeem(other, code)))
    expect(more.map(({ status }) => status).sort()).toEqual([200, 200, 400])
  })

  test('with an Idempotency-Key a repeated request gets the same answer, and is paid once', async () => {
    const user = await makeUser(server)
    const { id, code } = await made({ max_uses: 5 })
    const headers = { 'idempotency-key': '"redeem once"' }
    const answers = [await redeem(user, code, headers), await redeem(user, code, headers)]
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect(answers[1]!.body).toEqual(answers[0]!.body)
    expect(await balanceOf(user)).toBe(10)
    // The answer to a code that cannot be redeemed is kept too.
    for (const [key, text] of Object.entries({ wrong: 'wrong', twice: code })) {
      expectFactoryError(await redeem(user, text, { 'idempotency-key': key }), INVALID)
      const again = await redeem(user, text, { 'idempotency-key': key })
      expectFactoryError(again, INVALID)
      expect(again.headers.get('idempotency-replayed')).toBe('true')
    }
    expect(await balanceOf(user)).toBe(10)
    expect(await showCode(id)).toMatchObject({ used_count: 1 })
  })
})

describe('wrong codes', () => {
  test('of one user are limited, and right ones are not counted', async () => {
    const user = await makeUser(server)
    for (let n = 0; n < 9; n++) expectFactoryError(await redeem(user, `wrong ${n}`), INVALID)
    for (let n = 0; n < 3; n++) expect((await redeem(user, (await made()).code)).status).toBe(200)
    expectFactoryError(await redeem(user, 'wrong'), INVALID)
    const { code } = await made()
    const limited = await redeem(user, code)
    expectFactoryError(limited, { status: 429, code: 'RATE_LIMIT_EXCEEDED' })
    expect(Number(limited.headers.get('retry-after'))).toBeWithin(1, 601)
    const keyed = await redeem(user, code, { 'idempotency-key': 'limited' })
    expectFactoryError(keyed, { status: 429, code: 'RATE_LIMIT_EXCEEDED' })
    expect((await redeem(await makeUser(server), code)).status).toBe(200)
  })

  test('of one network are limited, however many users are in it', async () => {
    const here = { 'x-forwarded-for': '192.0.2.1' }
    const users = await Promise.all(Array.from({ length: 11 }, () => makeUser(server)))
    const wrong = users.slice(1).flatMap((user) => Array.from({ length: 10 }, () => redeem(user, 'x', here)))
    for (const answer of await Promise.all(wrong)) expectFactoryError(answer, INVALID)
    const { code } = await made()
    expectFactoryError(await redeem(users[0]!, code, here), { status: 429, code: 'RATE_LIMIT_EXCEEDED' })
    expect((await redeem(users[0]!, code)).status).toBe(200)
  })
})

describe('records', () => {
  test("are the user's own, newest first, and show of a code only what its user needs to recognize it", async () => {
    const user = await makeUser(server)
    const codes = [await made({ amount: 1 }), await made({ amount: 2.5 }), await made({ amount: 3 })]
    for (const { code } of codes) await redeem(user, code)
    const answer = await ask('GET', '/api/recharge/records?page=1&page_size=2', { token: user.token })
    const page = { total: 'integer', page: 'integer', page_size: 'integer', total_pages: 'integer' } as const
    expectAnswer(answer, 200, enveloped({ items: [RECORD], ...page }))
    expect(answer.body.data).toMatchObject({ total: 3, page: 1, page_size: 2, total_pages: 2 })
    expect(answer.body.data.items).toMatchObject([
      { amount: 3, code: `OWL-****-****-${codes[2]!.code.slice(-4)}` },
      { amount: 2.5 },
    ])
    const next = await ask('GET', '/api/recharge/records?page=2&page_size=2', { token: user.token })
    expect(next.body.data.items).toMatchObject([{ amount: 1 }])
    expect((await recordsOf(await makeUser(server))).total).toBe(0)
  })

  test('administrators see who has used a code', async () => {
    const { id, code } = await made({ max_uses: 2 })
    const users = [await makeUser(server), await makeUser(server)]
    for (const user of users) await redeem(user, code)
    const answer = await ask('GET', `/api/recharge/codes/${id}/uses`, { token: admin })
    expect(answer.body.data.items.map((use: { user: object }) => use.user)).toEqual(
      users.map(({ user }) => ({ id: user.uuid, username: user.username })).reverse(),
    )
    const other = await ask('GET', `/api/recharge/codes/${id}/uses`, { token: users[0]!.token })
    expectFactoryError(other, { status: 403, code: 'ACCESS_DENIED' })
  })
})
