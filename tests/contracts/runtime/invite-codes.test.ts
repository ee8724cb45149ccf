import { afterAll, describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { describedApi } from '../../support/described.ts'
import { makeUser, unique } from '../../support/factories.ts'
import { codeIn, mailTo } from '../../support/mail.ts'
import { query, startServer } from '../../support/server.ts'
import { expectAnswer, expectRuntimeError, expectWithout, type Shape } from '../../support/shapes.ts'

const server = await startServer()
afterAll(() => server.stop())
const ask = describedApi(server)
const admin = await makeUser(server, { role: 'admin' })
const { token } = admin
const at = (code: string) => `/api/v1/invite-codes/${code}`
const make = (body: object = {}) => ask('POST', '/api/v1/invite-codes', { token, body })
const show = (code: string) => ask('GET', at(code), { token })
const PAST = '2020-01-01T00:00:00Z'

const INVITE = {
  code: 'string',
  status: 'string',
  max_uses: 'integer|null',
  used_count: 'integer',
  expires_at: 'instant|null',
} satisfies Shape

/** Asks for an account, and returns the code of the mail. */
async function asked(invite_code: string) {
  const username = unique('i')
  const email = `${username}@example.com`
  const body = { username, email, password: 'long enough', invite_code }
  expect((await ask('POST', '/api/v1/auth/verifications', { body })).status).toBe(202)
  return { email, token: codeIn(await mailTo(server, email)) }
}
const verify = (body: object) => ask('POST', '/api/v1/auth/verifications/verify', { body })
const invitedBy = async (email: string) => {
  const [row] = await query(
    server,
    sql`select c.code from invitations i join invite_codes c on c.id = i.invite_code_id
      join users u on u.id = i.user_id where u.email = ${email}`,
  )
  return row?.code
}

describe('POST /api/v1/invite-codes', () => {
  test('makes a code of 8 characters that nobody mistakes, without limits', async () => {
    const answer = await make()
    expectAnswer(answer, 201, INVITE)
    expect(answer.body.code).toMatch(/^[2-9A-HJKMNP-Z]{8}$/)
    expect(answer.body).toMatchObject({ status: 'active', max_uses: null, used_count: 0, expires_at: null })
  })

  test('with limits; one that has expired already may be made', async () => {
    const answer = await make({ max_uses: 3, expires_at: '2999-01-01T08:00:00+08:00' })
    expect(answer.body).toMatchObject({ max_uses: 3, expires_at: '2999-01-01T00:00:00.000Z' })
    expect((await make({ expires_at: PAST })).body.status).toBe('expired')
    for (const expires_at of ['1900-01-01T00:00:00.000Z', '9999-12-31T23:59:59.000Z']) {
      expect((await make({ expires_at })).body.expires_at).toBe(expires_at)
    }
  })

  test.each<[string, object, string]>([
    ['no use', { max_uses: 0 }, 'max_uses'],
    ['half a use', { max_uses: 1.5 }, 'max_uses'],
    ['very many', { max_uses: 1_000_001 }, 'max_uses'],
    ['an end that is no time', { expires_at: 'tomorrow' }, 'expires_at'],
    ['an end on a day that there is not', { expires_at: '2027-02-30T00:00:00Z' }, 'expires_at'],
    ['an end in the year 0', { expires_at: '0000-06-01T00:00:00Z' }, 'expires_at'],
    ['an end in the year 99', { expires_at: '0099-06-01T00:00:00Z' }, 'expires_at'],
    ['an end in the year 10000 of UTC', { expires_at: '9999-12-31T23:59:59-08:00' }, 'expires_at'],
    ['an end without a zone', { expires_at: '2999-01-01T00:00:00' }, 'expires_at'],
  ])('%s: 422', async (_, body, field) => {
    expectRuntimeError(await make(body), { status: 422, code: 'VALIDATION_ERROR', fields: [field] })
  })
})

describe('reading and changing', () => {
  test('GET lists them by pages, newest first, and shows one however it is typed', async () => {
    const { code } = (await make()).body
    const list = await ask('GET', '/api/v1/invite-codes?page=1&page_size=2', { token })
    expectAnswer(list, 200, {
      items: [INVITE],
      total: 'integer',
      page: 'integer',
      page_size: 'integer',
      total_pages: 'integer',
    })
    expect(list.body.items[0].code).toBe(code)
    expect(list.body.items.length).toBe(2)
    expect((await show(code.toLowerCase())).body).toEqual(list.body.items[0])
    expectRuntimeError(await ask('GET', '/api/v1/invite-codes?page=0', { token }), {
      status: 422,
      code: 'VALIDATION_ERROR',
      fields: ['page'],
    })
  })

  test('PATCH changes what is given; DELETE disables, also twice', async () => {
    const { code } = (await make({ max_uses: 1 })).body
    const patch = (body: object) => ask('PATCH', at(code), { token, body })
    expect((await patch({ max_uses: 5, expires_at: PAST })).body).toMatchObject({
      status: 'expired',
      max_uses: 5,
    })
    expect((await patch({ expires_at: null })).body).toMatchObject({ status: 'active', max_uses: 5 })
    expect((await patch({})).body.max_uses).toBe(5)
    for (let i = 0; i < 2; i++) {
      expect(await ask('DELETE', at(code), { token })).toMatchObject({ status: 204, text: '' })
    }
    expect((await show(code)).body.status).toBe('disabled')
    expect((await patch({ status: 'active', max_uses: null })).body).toMatchObject({
      status: 'active',
      max_uses: null,
    })
    for (const [body, field] of [
      [{ status: 'expired' }, 'status'],
      [{ max_uses: -1 }, 'max_uses'],
    ] as const) {
      expectRuntimeError(await patch(body), { status: 422, code: 'VALIDATION_ERROR', fields: [field] })
    }
  })

  test.each(['GET', 'PATCH', 'DELETE'])('%s of a code that there is not: 404', async (method) => {
    const body = method === 'GET' ? undefined : {}
    for (const code of ['ABCDEFGH', '0', '%00', 'x'.repeat(100)]) {
      const answer = await ask(method, at(code), { token, body })
      expectRuntimeError(answer, { status: 404, code: 'NOT_FOUND' })
    }
  })
})

describe('at sign-up', () => {
  test('a valid one notes who came by it and counts, once the email is verified', async () => {
    const { code } = (await make()).body
    const signup = await asked(` ${code.toLowerCase()} `)
    expect((await show(code)).body.used_count).toBe(0)
    expect((await verify(signup)).status).toBe(200)
    expect(await invitedBy(signup.email)).toBe(code)
    expect((await show(code)).body).toMatchObject({ used_count: 1, status: 'active' })
  })

  test('one that does not count never blocks', async () => {
    const used = (await make({ max_uses: 1 })).body.code
    expect((await verify(await asked(used))).status).toBe(200)
    expect((await show(used)).body.status).toBe('exhausted')
    const disabled = (await make()).body.code
    await ask('DELETE', at(disabled), { token })
    const expired = (await make({ expires_at: PAST })).body.code
    for (const code of [used, disabled, expired, 'ABCDEFGH', '0', '', '邀请码']) {
      const signup = await asked(code)
      const answer = await verify(signup)
      expect(answer.status, code).toBe(200)
      expectWithout(answer, 'invite')
      expect(await invitedBy(signup.email)).toBeUndefined()
    }
    expect((await show(used)).body.used_count).toBe(1)
  })

  test('several at once with a code for two: all get in, two by the code', async () => {
    const { code } = (await make({ max_uses: 2 })).body
    const people = await Promise.all(Array.from({ length: 6 }, () => asked(code)))
    const answers = await Promise.all(people.map(verify))
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200))
    const by = await Promise.all(people.map(({ email }) => invitedBy(email)))
    expect(by.filter((one) => one === code).length).toBe(2)
    expect((await show(code)).body).toMatchObject({ used_count: 2, max_uses: 2, status: 'exhausted' })
  })
})
