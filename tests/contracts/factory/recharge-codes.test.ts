/** Protects docs/contracts/factory.md, "Recharge codes": what administrators make, see and change. */
import { afterAll, describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { describedApi } from '../../support/described.ts'
import { makeUser } from '../../support/factories.ts'
import { query, startServer } from '../../support/server.ts'
import {
  enveloped,
  expectAnswer,
  expectFactoryError,
  expectWithout,
  type Shape,
} from '../../support/shapes.ts'

const server = await startServer()
afterAll(() => server.stop())
const ask = describedApi(server)
const { token } = await makeUser(server, { role: 'admin' })
const at = (id: string) => `/api/recharge/codes/${id}`
const make = (body: object) => ask('POST', '/api/recharge/codes', { token, body })
const made = async (body: object = {}) => (await make({ amount: 1, ...body })).body.data.codes[0]
const change = (id: string, body: object) => ask('PUT', at(id), { token, body })
const list = (search = '') => ask('GET', `/api/recharge/codes${search}`, { token })
const CODE = /^OWL(-[2-9A-HJKMNP-Z]{4}){3}$/
const PAST = '2020-01-01T00:00:00.000Z'

const NEW_CODE = { id: 'uuid', code: 'string', amount: 'money', expires_at: 'instant|null' } satisfies Shape
const RECHARGE_CODE = {
  ...NEW_CODE,
  description: 'string',
  status: 'string',
  max_uses: 'integer',
  used_count: 'integer',
  created_at: 'instant',
} satisfies Shape

describe('POST /api/recharge/codes', () => {
  test('makes the documented batch', async () => {
    const answer = await make({
      amount: 100.0,
      description: '新用户充值码',
      batch_size: 10,
      expires_at: '2024-12-31T23:59:59Z',
      max_uses: 1,
    })
    const data = { codes: [NEW_CODE], total_generated: 'integer', total_amount: 'money' } as const
    expectAnswer(answer, 201, enveloped(data))
    const { codes, total_generated, total_amount } = answer.body.data
    expect([codes.length, total_generated, total_amount]).toEqual([10, 10, 1000])
    expect(new Set(codes.map(({ code }: { code: string }) => code)).size).toBe(10)
    for (const { code, amount, expires_at } of codes) {
      expect(code).toMatch(CODE)
      expect([amount, expires_at]).toEqual([100, '2024-12-31T23:59:59.000Z'])
    }
  })

  test('needs an amount alone: then it is one code for one use that never expires', async () => {
    const { body } = await make({ amount: 0.29 })
    expect(body.data).toMatchObject({ total_generated: 1, total_amount: 0.29 })
    const [code] = body.data.codes
    expect(code.expires_at).toBeNull()
    expect((await ask('GET', at(code.id), { token })).body.data).toMatchObject({
      ...code,
      description: '',
      max_uses: 1,
      used_count: 0,
      status: 'active',
    })
  })

  test('makes 10,000 codes in one request, and lists them in the order of the answer', async () => {
    const { body } = await make({ amount: 12.34, batch_size: 10_000 })
    const codes = body.data.codes.map(({ code }: { code: string }) => code)
    expect(body.data).toMatchObject({ total_generated: 10_000, total_amount: 123_400 })
    expect(new Set(codes).size).toBe(10_000)
    const newest = (await list('?page_size=3')).body.data.items
    expect(newest.map(({ code }: { code: string }) => code)).toEqual(codes.slice(-3).reverse())
  })

  test.each([
    ['no amount', {}, 'amount'],
    ['zero', { amount: 0 }, 'amount'],
    ['a negative amount', { amount: -1 }, 'amount'],
    ['three decimals', { amount: 1.005 }, 'amount'],
    ['less than a cent', { amount: 0.001 }, 'amount'],
    ['too much', { amount: 1_000_000.01 }, 'amount'],
    ['an amount that is a text', { amount: '100' }, 'amount'],
    ['a null amount', { amount: null }, 'amount'],
    ['an empty batch', { amount: 1, batch_size: 0 }, 'batch_size'],
    ['a batch that is too large', { amount: 1, batch_size: 10_001 }, 'batch_size'],
    ['half a code', { amount: 1, batch_size: 1.5 }, 'batch_size'],
    ['no use', { amount: 1, max_uses: 0 }, 'max_uses'],
    ['uses without end', { amount: 1, max_uses: 1e15 }, 'max_uses'],
    ['a time that is none', { amount: 1, expires_at: 'tomorrow' }, 'expires_at'],
    ['a day that does not exist', { amount: 1, expires_at: '2026-02-30T00:00:00Z' }, 'expires_at'],
    ['a time without a zone', { amount: 1, expires_at: '2026-03-01T00:00:00' }, 'expires_at'],
    ['a long description', { amount: 1, description: 'x'.repeat(501) }, 'description'],
  ])('refuses %s, and makes nothing', async (_, body, field) => {
    const before = (await list()).body.data.total
    expectFactoryError(await make(body), { status: 422, code: 'VALIDATION_ERROR', fields: [field] })
    expect((await list()).body.data.total).toBe(before)
  })

  test('the database has neither a code nor anything from which one could be computed', async () => {
    const { code } = await made({ description: 'sealed' })
    const [row] = await query(
      server,
      sql`select c::text as text from recharge_codes c where description = 'sealed'`,
    )
    expect(row!.text).not.toContain(code)
    expect(row!.text).not.toContain(code.replaceAll('-', ''))
    const [entry] = await query(
      server,
      sql`select a::text as text from audit_log a where action = 'recharge_code.created' order by id desc limit 1`,
    )
    expect(entry!.text).not.toContain(code)
  })
})

describe('GET /api/recharge/codes', () => {
  test('has each code under exactly one status', async () => {
    const codes = {
      active: await made({ expires_at: '2999-01-01T00:00:00Z' }),
      expired: await made({ expires_at: PAST }),
      used: await made({ expires_at: PAST }),
      disabled: await made({ expires_at: PAST }),
    }
    await query(server, sql`update recharge_codes set used_count = 1 where uuid = ${codes.used.id}`)
    await query(server, sql`update recharge_codes set used_count = 1 where uuid = ${codes.disabled.id}`)
    await change(codes.disabled.id, { disabled: true })
    const answer = await list('?page_size=4')
    const page = { total: 'integer', page: 'integer', page_size: 'integer', total_pages: 'integer' } as const
    expectAnswer(answer, 200, enveloped({ items: [RECHARGE_CODE], ...page }))
    const ofStatus = Object.fromEntries(
      answer.body.data.items.map(({ status, id }: { status: string; id: string }) => [status, id]),
    )
    const totals = []
    for (const [status, { id }] of Object.entries(codes)) {
      expect(ofStatus[status]).toBe(id)
      const { items, total } = (await list(`?status=${status}&page_size=1`)).body.data
      expect(items[0]).toMatchObject({ id, status })
      totals.push(total)
    }
    expect(
      Math.min(
        totals.reduce((sum, n) => sum + n),
        10_000,
      ),
    ).toBe(answer.body.data.total)
  })

  test('counts to 10,000, and pages lead further', async () => {
    await make({ amount: 1, batch_size: 10_000 })
    for (const filter of ['', '&status=active'])
      expect((await list(`?page_size=1&page=10001${filter}`)).body.data).toMatchObject({
        total: 10_000,
        items: [{ status: expect.any(String) }],
      })
  })

  test.each(['?status=lost', '?page=0', '?page_size=101'])('refuses %s', async (search) => {
    expectFactoryError(await list(search), { status: 422, code: 'VALIDATION_ERROR' })
  })
})

describe('PUT /api/recharge/codes/{id}', () => {
  test('disables, enables, and moves the expiry', async () => {
    const { id, code } = await made({ description: 'before' })
    expect((await change(id, { disabled: true })).body.data).toMatchObject({ status: 'disabled', code })
    const back = await change(id, { disabled: false, description: 'after', expires_at: PAST })
    expectAnswer(back, 200, enveloped(RECHARGE_CODE))
    expect(back.body.data).toMatchObject({ status: 'expired', description: 'after', expires_at: PAST })
    const { body } = await change(id.toUpperCase(), { expires_at: null })
    expect(body.data).toMatchObject({ id, status: 'active', expires_at: null, description: 'after' })
    expect((await change(id, {})).body.data).toEqual(body.data)
    expect((await ask('GET', at(id), { token })).body.data).toEqual(body.data)
  })

  test.each([{ disabled: 'yes' }, { disabled: null }, { expires_at: 'soon' }, { description: null }])(
    'refuses %j',
    async (body) => {
      expectFactoryError(await change((await made()).id, body), { status: 422, code: 'VALIDATION_ERROR' })
    },
  )
})

test('a user who is no administrator learns nothing of codes', async () => {
  const { id, code } = await made()
  const { token: other } = await makeUser(server, { role: 'editor' })
  for (const [method, path] of [
    ['POST', '/api/recharge/codes'],
    ['GET', '/api/recharge/codes'],
    ['GET', at(id)],
    ['PUT', at(id)],
  ] as const) {
    const answer = await ask(method, path, { token: other, ...(method !== 'GET' && { body: {} }) })
    expectFactoryError(answer, { status: 403, code: 'ACCESS_DENIED' })
    expectWithout(answer, code)
  }
})
