import { afterAll, describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { auditedOf } from '../../support/audited.ts'
import { describedApi } from '../../support/described.ts'
import { makeUser, PASSWORD, signInAgain, unique } from '../../support/factories.ts'
import { codeIn, mailQueueEmpty, mailsTo, mailTo, wrongCode } from '../../support/mail.ts'
import { query, startServer } from '../../support/server.ts'
import { expectRuntimeError, expectWithout } from '../../support/shapes.ts'
import { openLive } from '../../support/sockets.ts'

const server = await startServer({ ALLOWED_ORIGINS: 'https://app.example.com' })
afterAll(() => server.stop())
const ask = describedApi(server)
const request = (body: object, headers: Record<string, string> = {}) =>
  ask('POST', '/api/v1/auth/password-reset', { body, headers })
const confirm = (body: object) => ask('POST', '/api/v1/auth/password-reset/confirm', { body })
const signIn = (email: string, password: string) =>
  ask('POST', '/api/v1/auth/sessions', { body: { email, password } })

const NEW = 'N3w-Password'
/** A user who has asked for a reset, with the mailed code. */
const forgetful = async () => {
  const owner = await makeUser(server)
  expect((await request({ email: owner.user.email })).status).toBe(204)
  return { ...owner, email: owner.user.email, code: codeIn(await mailTo(server, owner.user.email)) }
}

describe('the whole reset', () => {
  test('a new password by the mailed code: all sessions and sockets end, and the owner is told', async () => {
    const { user, email, token, refreshToken, code } = await forgetful()
    const elsewhere = await signInAgain(server, { user, password: '', token, refreshToken })
    const live = await openLive(server, elsewhere.token)
    for (const one of [token, elsewhere.token]) {
      expect((await ask('GET', '/api/v1/users/me', { token: one })).status).toBe(200)
    }
    expect(await confirm({ email, token: code, new_password: NEW })).toMatchObject({ status: 204, text: '' })
    for (const one of [token, elsewhere.token]) {
      expectRuntimeError(await ask('GET', '/api/v1/users/me', { token: one }), {
        status: 401,
        code: 'INVALID_TOKEN',
      })
    }
    expect((await live.next('session.revoked')).data.reason).toBe('password_reset')
    expect((await live.closing()).code).toBe(4403)
    const body = { refresh_token: elsewhere.refreshToken }
    expect((await ask('POST', '/api/v1/auth/sessions/refresh', { body })).status).toBe(401)
    expect((await signIn(email, PASSWORD)).status).toBe(401)
    expect((await signIn(email, NEW)).status).toBe(200)
    const notice = await mailTo(server, email, 2)
    expect(notice.subject).toBe('您的密码已修改')
    expectWithout({ text: notice.text + notice.html! }, NEW, code)
  })

  test('proves that the email is theirs', async () => {
    const { user, email, code } = await forgetful()
    expect(user.emailConfirmedAt).toBeNull()
    await confirm({ email, token: code, new_password: NEW })
    const { access_token: token } = (await signIn(email, NEW)).body
    const account = await ask('GET', `/api/v1/auth/users?email=${encodeURIComponent(email)}`, { token })
    expect(account.body.email_confirmed_at).toBeString()
  })

  test('a page of null is none', async () => {
    const { user } = await makeUser(server)
    expect((await request({ email: user.email, redirect_to: null })).status).toBe(204)
    expect(codeIn(await mailTo(server, user.email))).toBeString()
  })

  test('in English, with a link to an allowed page', async () => {
    const { user } = await makeUser(server)
    const body = { email: user.email.toUpperCase(), redirect_to: 'https://app.example.com/reset' }
    await request(body, { 'accept-language': 'en' })
    const mail = await mailTo(server, user.email)
    expect(mail.subject).toBe('Your code for a new password')
    expect(mail.text).toMatch(
      new RegExp(`https://app\\.example\\.com/reset#email=[\\w.%-]+&token=${codeIn(mail)}`),
    )
  })
})

describe('POST /api/v1/auth/password-reset', () => {
  test('an email without an account: the same answer, after the same work, and no mail', async () => {
    const known = (await makeUser(server)).user.email
    const unknown = `${unique('nobody')}@example.com`
    const answers = [await request({ email: known }), await request({ email: unknown })]
    for (const { status, text } of answers) expect([status, text]).toEqual([204, ''])
    await mailQueueEmpty(server)
    const rows = await query(
      server,
      sql`select code_hash is not null as drawn, wrong_tries from password_resets
        where email in (${known}, ${unknown})`,
    )
    expect(rows).toEqual([
      { drawn: true, wrong_tries: 0 },
      { drawn: true, wrong_tries: 0 },
    ])
    const tries = [known, unknown].map((email) => confirm({ email, token: '000000', new_password: NEW }))
    const [one, two] = await Promise.all(tries)
    expect(one!.text).toBe(two!.text)
    expectRuntimeError(one!, { status: 401, code: 'INVALID_CODE' })
    expect((await mailsTo(server, known)).length).toBe(1)
    expect(await mailsTo(server, unknown)).toEqual([])
  })

  test('a deactivated user is sent none', async () => {
    const { user } = await makeUser(server, { isActive: false })
    expect((await request({ email: user.email })).status).toBe(204)
    await mailQueueEmpty(server)
    expect(await mailsTo(server, user.email)).toEqual([])
  })

  test.each<[string, object, string]>([
    ['nothing', {}, 'email'],
    ['a username', { email: 'somebody' }, 'email'],
    ['a foreign page', { email: 'a@example.com', redirect_to: 'https://evil.example.com/' }, 'redirect_to'],
    ['a long page', { email: 'a@example.com', redirect_to: `https://x/${'a'.repeat(2000)}` }, 'redirect_to'],
  ])('%s: 422', async (_, body, field) => {
    const answer = await request(body)
    expectRuntimeError(answer, { status: 422, code: 'VALIDATION_ERROR', fields: [field] })
  })
})

describe('POST /api/v1/auth/password-reset/confirm', () => {
  test('a wrong code: 401; the right one works once', async () => {
    const { email, code } = await forgetful()
    const wrong = await confirm({ email, token: wrongCode(code), new_password: NEW })
    expectRuntimeError(wrong, { status: 401, code: 'INVALID_CODE' })
    expect(await auditedOf(server, wrong)).toEqual(['password_reset.failed'])
    expectWithout(wrong, NEW)
    expect((await confirm({ email, token: code, new_password: NEW })).status).toBe(204)
    expect((await confirm({ email, token: code, new_password: 'again and again' })).status).toBe(401)
    expect((await signIn(email, NEW)).status).toBe(200)
  })

  test('the same code twice at once: one of the two passwords', async () => {
    const { email, code } = await forgetful()
    const answers = await Promise.all(
      ['first one', 'second one'].map((new_password) => confirm({ email, token: code, new_password })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 401])
  })

  test("neither a signup's code, nor that of another email", async () => {
    const [one, two] = [await forgetful(), await forgetful()]
    if (one.code !== two.code) {
      const answer = await confirm({ email: one.email, token: two.code, new_password: NEW })
      expectRuntimeError(answer, { status: 401, code: 'INVALID_CODE' })
    }
    const answer = await ask('POST', '/api/v1/auth/verifications/verify', {
      body: { email: two.email, token: two.code },
    })
    expectRuntimeError(answer, { status: 401, code: 'INVALID_CODE' })
  })

  test('a newer code ends the older', async () => {
    const { email, code } = await forgetful()
    await request({ email })
    const newer = codeIn(await mailTo(server, email, 2))
    if (newer !== code) {
      expect((await confirm({ email, token: code, new_password: NEW })).status).toBe(401)
    }
    expect((await confirm({ email, token: newer, new_password: NEW })).status).toBe(204)
  })

  test('five wrong tries, or ten minutes, end the code', async () => {
    const { email, code } = await forgetful()
    for (let i = 0; i < 5; i++) {
      const answer = await confirm({ email, token: wrongCode(code), new_password: NEW })
      expect(answer.status).toBe(401)
    }
    expect((await confirm({ email, token: code, new_password: NEW })).status).toBe(401)
    const late = await forgetful()
    await query(
      server,
      sql`update password_resets set code_expires_at = now() - interval '1 second' where email = ${late.email}`,
    )
    const answer = await confirm({ email: late.email, token: late.code, new_password: NEW })
    expectRuntimeError(answer, { status: 401, code: 'INVALID_CODE' })
    expect((await signIn(late.email, PASSWORD)).status).toBe(200)
  })

  test.each<[string, object, string[]]>([
    ['nothing', {}, ['email', 'new_password', 'token']],
    [
      'a short password',
      { email: 'a@example.com', token: '123456', new_password: '12345' },
      ['new_password'],
    ],
    ['a code of letters', { email: 'a@example.com', token: 'abcdef', new_password: NEW }, ['token']],
  ])('%s: 422', async (_, body, fields) => {
    expectRuntimeError(await confirm(body), { status: 422, code: 'VALIDATION_ERROR', fields })
  })
})

test('a changed password, on any contract, is told to its owner in the language of the request', async () => {
  const { user, token } = await makeUser(server)
  const answer = await ask('POST', '/api/users/change-password', {
    token,
    body: { current_password: PASSWORD, new_password: NEW },
    headers: { 'accept-language': 'en' },
  })
  expect(answer.status).toBe(200)
  expect((await mailTo(server, user.email)).subject).toBe('Your password was changed')
})
