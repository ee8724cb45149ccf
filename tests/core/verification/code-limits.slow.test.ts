/** The limits that keep a stranger from guessing a code of six digits. */
import { afterAll, describe, expect, test } from 'bun:test'
import { api } from '../../support/api.ts'
import { makeUser, unique } from '../../support/factories.ts'
import { codeIn, mailTo, wrongCode } from '../../support/mail.ts'
import { startServer } from '../../support/server.ts'
import { expectRuntimeError, expectWithout } from '../../support/shapes.ts'

const server = await startServer({ RATE_LIMITS: 'on', TRUSTED_PROXIES: '127.0.0.1' })
afterAll(() => server.stop())
/** A random client address, so that tests do not share limits. */
const address = () => `10.${[1, 2, 3].map(() => Math.floor(Math.random() * 256)).join('.')}`
const post = (path: string, body: object, from = address(), token?: string) =>
  api(server, 'POST', `/api/v1/${path}`, { body, token, headers: { 'x-forwarded-for': from } })

const HOUR = 3600
const expectLimited = (answer: Awaited<ReturnType<typeof post>>, seconds: number) => {
  expectRuntimeError(answer, { status: 429, code: 'RATE_LIMIT_EXCEEDED' })
  expect(Number(answer.headers.get('retry-after'))).toBeWithin(1, seconds + 1)
  expect(answer.body.detail).toContain('请求过于频繁')
  expectWithout(answer, '@')
}
const signup = (email: string, from?: string) => {
  const body = { username: unique('l'), email, password: 'long enough' }
  return post('auth/verifications', body, from)
}
const statuses = (answers: { status: number }[]) => answers.map(({ status }) => status)
const times = <T>(n: number, run: () => Promise<T>) => Promise.all(Array.from({ length: n }, run))

describe.each([
  ['auth/verifications/verify', 'auth/verifications/resend', { new_password: undefined }],
  ['auth/password-reset/confirm', 'auth/password-reset', { new_password: 'long enough' }],
] as const)('%s', (check, again, extra) => {
  const known = async (from?: string) => {
    if (extra.new_password) return (await makeUser(server)).user.email
    const email = `${unique('k')}@example.com`
    await signup(email, from)
    await mailTo(server, email)
    return email
  }

  const guess = (email: string, token: string, from = address()) =>
    post(check, { email, token, ...extra }, from)

  test('wrong tries of strangers void a code, all at once or not; the next code works', async () => {
    const email = await known()
    const mails = extra.new_password ? 0 : 1
    for (let n = 1; n <= 3; n++) {
      expect((await post(again, { email })).status).toBe(204)
      const code = codeIn(await mailTo(server, email, mails + n))
      const wrong = await times(n === 2 ? 5 : 12, () => guess(email, wrongCode(code)))
      expect(new Set(statuses(wrong))).toEqual(new Set([401]))
      expect((await guess(email, code)).status).toBe(401)
    }
    expect((await post(again, { email })).status).toBe(204)
    const code = codeIn(await mailTo(server, email, mails + 4))
    for (let n = 0; n < 4; n++) expect((await guess(email, wrongCode(code))).status).toBe(401)
    expect((await guess(email, code)).status).toBeOneOf([200, 204])
  })

  test('the same is true for an owner behind the same address', async () => {
    const [email, from] = [await known(), address()]
    const mails = extra.new_password ? 0 : 1
    for (let n = 1; n <= 2; n++) {
      expect((await post(again, { email }, from)).status).toBe(204)
      await mailTo(server, email, mails + n)
      await times(6, () => guess(email, '000000', from))
    }
    expect((await post(again, { email }, from)).status).toBe(204)
    const code = codeIn(await mailTo(server, email, mails + 3))
    expect((await guess(email, code, from)).status).toBeOneOf([200, 204])
  })

  test('an address can try the codes of one email twenty times an hour, in every spelling of the email', async () => {
    const [email, from] = [`${unique('unknown')}@example.com`, address()]
    const spellings = [email, email.toUpperCase(), ` ${email}`, email.replaceAll('a', '\uff41')]
    const tries = Array.from({ length: 21 }, (_, n) => guess(spellings[n % 4]!, '000000', from))
    expect(statuses(await Promise.all(tries)).sort()).toEqual([...Array(20).fill(401), 429])
    expectLimited(await guess(email, '000000', from), HOUR)
    expect((await guess(email, '000000')).status).toBe(401)
  })

  test('an address can ask for five mails an hour to one email, whether it has an account or not; others still can', async () => {
    const from = address()
    const there = await known(from)
    const sent = extra.new_password ? 0 : 1
    for (const email of [there, `${unique('nobody')}@example.com`]) {
      const left = email === there ? 5 - sent : 5
      for (let i = 0; i < left; i++) expect((await post(again, { email }, from)).status).toBe(204)
      expectLimited(await post(again, { email }, from), HOUR)
      // The owner's address is another one.
      expect((await post(again, { email })).status).toBe(204)
    }
    expect((await post(again, { email: await known() })).status).toBe(204)
  })
})

test('an address can try a hundred codes an hour, of all emails together', async () => {
  const from = address()
  const spray = () => {
    const email = `${unique('spray')}@example.com`
    return post('auth/verifications/verify', { email, token: '000000' }, from)
  }
  expect(statuses(await times(100, spray))).toEqual(Array(100).fill(401))
  expectLimited(await spray(), HOUR)
})

test('an address can ask for thirty mails an hour', async () => {
  const from = address()
  const ask = () => post('auth/password-reset', { email: `${unique('spray')}@example.com` }, from)
  const all = statuses(await times(31, ask))
  expect(all.sort()).toEqual([...Array(30).fill(204), 429])
})

test('failed sign-ins of this contract are limited like those of the others', async () => {
  const { user } = await makeUser(server)
  const from = address()
  const signIn = () => post('auth/sessions', { email: user.email, password: 'Wr0ng-One' }, from)
  expect(statuses(await times(10, signIn))).toEqual(Array(10).fill(401))
  expectLimited(await signIn(), 300)
})

test('a user can search thirty times a minute; another user is not blocked', async () => {
  const [one, two] = [await makeUser(server), await makeUser(server)]
  const search = (token: string) => post('users/search', { query: 'nobody-is-called-so' }, undefined, token)
  const all = statuses(await times(31, () => search(one.token)))
  expect(all.sort()).toEqual([...Array(30).fill(200), 429])
  expectLimited(await search(one.token), 60)
  expect((await search(two.token)).status).toBe(200)
})

describe('registrations', () => {
  const ways = {
    learning: (from: string) => ({
      path: '/api/v1/auth/register',
      body: { email: `${unique('r')}@example.com`, name: 'n', password: 'long enough' },
      headers: { 'x-forwarded-for': from },
    }),
    'study and factory': (from: string) => ({
      path: '/api/auth/register',
      body: { email: `${unique('r')}@example.com`, password: 'long enough' },
      headers: { 'x-forwarded-for': from },
    }),
    runtime: (from: string) => ({
      path: '/api/v1/auth/verifications',
      body: { username: unique('r'), email: `${unique('r')}@example.com`, password: 'long enough' },
      headers: { 'x-forwarded-for': from },
    }),
  }
  const send = ({ path, ...ask }: { path: string; body: object; headers: Record<string, string> }) =>
    api(server, 'POST', path, ask)

  test('an address can make thirty in ten minutes, over all contracts; another address is not blocked', async () => {
    const from = address()
    const all = Object.values(ways)
    const made = await Promise.all(Array.from({ length: 30 }, (_, n) => send(all[n % 3]!(from))))
    expect(new Set(statuses(made))).toEqual(new Set([201, 202]))
    for (const way of all) {
      const answer = await send(way(from))
      expect(answer.status).toBe(429)
      expect(Number(answer.headers.get('retry-after'))).toBeWithin(1, 601)
      expect((await send(way(address()))).status).toBeOneOf([201, 202])
    }
  }, 60_000)

  test('those of one IPv6 network count together', async () => {
    const [a, b, c] = [1, 2, 3].map(() => Math.floor(Math.random() * 65_536).toString(16))
    const from = (n: number) => `2001:db8:${a}:${b}:${c}::${n.toString(16)}`
    // The request with an invalid username counts as an attempt and creates nothing.
    const refused = (n: number) => {
      const ask = ways['study and factory'](from(n))
      return send({ ...ask, body: { ...ask.body, username: '@@@' } })
    }
    const made = await Promise.all(Array.from({ length: 31 }, (_, n) => refused(n + 1)))
    expect(statuses(made).sort()).toEqual([...Array(30).fill(422), 429])
  }, 60_000)
})
