/** What stands between a code of six digits and somebody who tries them all. */
import { afterAll, describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { api } from '../support/api.ts'
import { unique } from '../support/factories.ts'
import { codeIn, mailTo, wrongCode } from '../support/mail.ts'
import { person } from '../support/people.ts'
import { query, startServer } from '../support/server.ts'
import { expectRuntimeError, expectWithout } from '../support/shapes.ts'

const server = await startServer({ RATE_LIMITS: 'on' })
afterAll(() => server.stop())
const post = (path: string, body: object, token?: string) =>
  api(server, 'POST', `/api/v1/${path}`, { body, token })

const HOUR = 3600
const expectLimited = (answer: Awaited<ReturnType<typeof post>>, seconds: number) => {
  expectRuntimeError(answer, { status: 429, code: 'RATE_LIMIT_EXCEEDED' })
  expect(Number(answer.headers.get('retry-after'))).toBeWithin(1, seconds + 1)
  expect(answer.body.detail).toContain('请求过于频繁')
  expectWithout(answer, '@')
}
const signup = (email: string) => {
  const body = { username: unique('l'), email, password: 'long enough' }
  return post('auth/verifications', body)
}
const statuses = (answers: { status: number }[]) => answers.map(({ status }) => status)
const times = <T>(n: number, run: () => Promise<T>) => Promise.all(Array.from({ length: n }, run))

describe.each([
  ['auth/verifications/verify', 'auth/verifications/resend', { new_password: undefined }],
  ['auth/password-reset/confirm', 'auth/password-reset', { new_password: 'long enough' }],
] as const)('%s', (check, again, extra) => {
  const known = async () => {
    if (extra.new_password) return (await person(server)).user.email
    const email = `${unique('k')}@example.com`
    await signup(email)
    await mailTo(server, email)
    return email
  }

  test('after ten tries of one email in an hour all others wait, the right one too, all at once or not', async () => {
    const email = await known()
    const mails = extra.new_password ? 0 : 1
    expect((await post(again, { email })).status).toBe(204)
    const code = codeIn(await mailTo(server, email, mails + 1))
    const guess = (token: string) => post(check, { email, token, ...extra })
    const first = await times(12, () => guess(wrongCode(code)))
    expect(statuses(first).sort()).toEqual([...Array(10).fill(401), 429, 429])
    expectLimited(await guess(code), HOUR)
    expectLimited(await post(check, { email: email.toUpperCase(), token: code, ...extra }), HOUR)
    // Nor does a new code help.
    expect((await post(again, { email })).status).toBe(204)
    expectLimited(await guess(codeIn(await mailTo(server, email, mails + 2))), HOUR)
  })

  test('an email that is not there is counted like one that is', async () => {
    const guess = () =>
      post(check, { email: `unknown-${check.length}@example.com`, token: '000000', ...extra })
    expect(statuses(await times(11, guess)).sort()).toEqual([...Array(10).fill(401), 429])
  })

  test('five mails an hour to one email, whether it is there or not; others get theirs', async () => {
    const there = await known()
    const sent = extra.new_password ? 0 : 1
    for (const email of [there, `${unique('nobody')}@example.com`]) {
      const left = email === there ? 5 - sent : 5
      for (let i = 0; i < left; i++) expect((await post(again, { email })).status).toBe(204)
      expectLimited(await post(again, { email }), HOUR)
    }
    expect((await post(again, { email: await known() })).status).toBe(204)
  })
})

test('an address may try a hundred codes an hour, of however many emails', async () => {
  let limited = 0
  for (let i = 0; i < 101 && !limited; i++) {
    const email = `${unique('spray')}@example.com`
    const answer = await post('auth/verifications/verify', { email, token: '000000' })
    if (answer.status === 429) {
      expectLimited(answer, HOUR)
      limited = i
    } else expect(answer.status).toBe(401)
  }
  expect(limited).toBeGreaterThan(50)
})

test('an address may ask for thirty mails an hour', async () => {
  const ask = () => post('auth/password-reset', { email: `${unique('spray')}@example.com` })
  const all = statuses(await times(31, ask))
  expect(all).toContain(429)
  expect(all).toContain(204)
  const [row] = await query(server, sql`select count(*)::int as n from password_resets`)
  expect(row!.n).toBeLessThanOrEqual(30)
})

test('failed sign-ins of this contract are limited like those of the others', async () => {
  const { user } = await person(server)
  const signIn = () => post('auth/sessions', { email: user.email, password: 'Wr0ng-One' })
  expect(statuses(await times(10, signIn))).toEqual(Array(10).fill(401))
  expectLimited(await signIn(), 300)
})

test('a user may search thirty times a minute; another one is not held up', async () => {
  const [one, two] = [await person(server), await person(server)]
  const search = (token: string) => post('users/search', { query: 'nobody-is-called-so' }, token)
  const all = statuses(await times(31, () => search(one.token)))
  expect(all.sort()).toEqual([...Array(30).fill(200), 429])
  expectLimited(await search(one.token), 60)
  expect((await search(two.token)).status).toBe(200)
})
