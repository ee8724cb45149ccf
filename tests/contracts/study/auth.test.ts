import { afterAll, describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { auditedOf } from '../../support/audited.ts'
import { describedApi } from '../../support/described.ts'
import { makeUser, PASSWORD, signInAgain, unique } from '../../support/factories.ts'
import { codeIn, mailQueueEmpty, mailsTo, mailTo, resetTokenIn } from '../../support/mail.ts'
import { query, startServer } from '../../support/server.ts'
import { expectAnswer, expectFactoryError, expectWithout, NEVER_SHOWN } from '../../support/shapes.ts'
import { openLive } from '../../support/sockets.ts'

const PAGE = 'https://study.example.com/#/reset'
const server = await startServer({ ALLOWED_ORIGINS: 'https://app.example.com', PASSWORD_RESET_URL: PAGE })
afterAll(() => server.stop())
const ask = describedApi(server)
const forget = (body: object, headers: Record<string, string> = {}) =>
  ask('POST', '/api/auth/forgot-password', { body, headers })
const reset = (body: object) => ask('POST', '/api/auth/reset-password', { body })
const signIn = (email: string, password: string) =>
  ask('POST', '/api/auth/login', { body: { email, password } })
const me = (token: string) => ask('GET', '/api/auth/me', { token })

const NEW = 'N3w-Password'
const MESSAGE = { message: 'string' } as const
const REFUSED = { status: 400, code: 'INVALID_RESET_TOKEN' }

/** A user who has asked for a new password, with the mailed token. */
const forgetful = async () => {
  const owner = await makeUser(server)
  expectAnswer(await forget({ email: owner.user.email }), 200, MESSAGE)
  return {
    ...owner,
    email: owner.user.email,
    resetToken: resetTokenIn(await mailTo(server, owner.user.email)),
  }
}

describe('GET /api/auth/me', () => {
  test('shows oneself', async () => {
    const { user, token } = await makeUser(server, { role: 'editor' })
    const answer = await me(token)
    expectAnswer(answer, 200, {
      id: 'integer',
      username: 'string',
      email: 'string',
      full_name: 'string',
      role: 'string',
      is_active: 'boolean',
      created_at: 'instant',
      last_login: 'instant|null',
    })
    expect(answer.body).toMatchObject({
      id: user.id,
      username: user.username,
      email: user.email,
      role: 'editor',
    })
    expectWithout(answer, 'argon2', ...NEVER_SHOWN)
  })
})

describe('POST /api/auth/logout', () => {
  test('ends this session and its socket on the server too, and no other', async () => {
    const owner = await makeUser(server)
    const other = await signInAgain(server, owner)
    const live = await openLive(server, owner.token)
    const answer = await ask('POST', '/api/auth/logout', { token: owner.token })
    expectAnswer(answer, 200, MESSAGE)
    expect(await auditedOf(server, answer)).toEqual(['user.signed_out'])
    expect((await live.closing()).code).toBe(4403)
    expectFactoryError(await me(owner.token), { status: 401, code: 'INVALID_CREDENTIALS' })
    expect((await me(other.token)).status).toBe(200)
    const refresh = { body: { refresh_token: owner.refreshToken } }
    expect((await ask('POST', '/api/v1/auth/refresh', refresh)).status).toBe(401)
    expectFactoryError(await ask('POST', '/api/auth/logout', { token: owner.token }), {
      status: 401,
      code: 'INVALID_CREDENTIALS',
    })
  })
})

describe('the whole reset', () => {
  test('a new password by the mailed token: all sessions and sockets end, and the owner is told', async () => {
    const { email, token, user, refreshToken, resetToken } = await forgetful()
    const elsewhere = await signInAgain(server, { user, password: '', token, refreshToken })
    const live = await openLive(server, elsewhere.token)
    expect((await me(token)).status).toBe(200)
    const answer = await reset({ token: resetToken, new_password: NEW })
    expectAnswer(answer, 200, MESSAGE)
    expectWithout(answer, NEW, resetToken)
    expect(await auditedOf(server, answer)).toContain('user.password_reset')
    for (const one of [token, elsewhere.token]) expect((await me(one)).status).toBe(401)
    expect((await live.next('session.revoked')).data.reason).toBe('password_reset')
    expect((await live.closing()).code).toBe(4403)
    expect((await signIn(email, PASSWORD)).status).toBe(401)
    expect((await signIn(email, NEW)).status).toBe(200)
    const notice = await mailTo(server, email, 2)
    expect(notice.subject).toBe('您的密码已修改')
    expectWithout({ text: notice.text + notice.html! }, NEW, resetToken)
  })

  test('the mail has the token on a line of its own, and a link to the page of the operator', async () => {
    const { user, resetToken } = await forgetful()
    const mail = await mailTo(server, user.email)
    expect(resetToken).toMatch(/^reset_[\w-]{43}$/)
    expect(mail.text).toContain(`${PAGE}?email=${encodeURIComponent(user.email)}&token=${resetToken}`)
    expect(mail.html).toContain(`>${resetToken}<`)
    const rows = await query(server, sql`select * from password_resets where email = ${user.email}`)
    expect(rows).toHaveLength(1)
    expectWithout({ text: JSON.stringify(rows) }, resetToken)
  })

  test('in English, with a link to the page that the request names', async () => {
    const { user } = await makeUser(server)
    const body = { email: user.email.toUpperCase(), redirect_to: 'https://app.example.com/reset' }
    const { body: answer } = await forget(body, { 'accept-language': 'en' })
    expect(answer.message).toStartWith('If this email has an account')
    const mail = await mailTo(server, user.email)
    expect(mail.subject).toBe('Set a new password')
    expect(mail.text).toMatch(/https:\/\/app\.example\.com\/reset#email=[\w.%-]+&token=reset_/)
  })
})

describe('POST /api/auth/forgot-password', () => {
  test('an email without an account, or of a deactivated user: the same answer, and no mail', async () => {
    const known = (await makeUser(server)).user.email
    const unknown = `${unique('nobody')}@example.com`
    const inactive = (await makeUser(server, { isActive: false })).user.email
    const answers = []
    for (const email of [known, unknown, inactive]) answers.push(await forget({ email }))
    expect(answers.map(({ status, text }) => `${status} ${text}`)).toEqual(
      Array(3).fill(`200 ${answers[0]!.text}`),
    )
    await mailQueueEmpty(server)
    expect((await mailsTo(server, known)).length).toBe(1)
    for (const email of [unknown, inactive]) expect(await mailsTo(server, email)).toEqual([])
  })

  test.each<[string, object, string]>([
    ['nothing', {}, 'email'],
    ['a username', { email: 'somebody' }, 'email'],
    ['an email that is a number', { email: 5 }, 'email'],
    ['a foreign page', { email: 'a@example.com', redirect_to: 'https://evil.example.com/' }, 'redirect_to'],
    ['a script', { email: 'a@example.com', redirect_to: 'javascript:alert(1)' }, 'redirect_to'],
  ])('%s: 422', async (_, body, field) => {
    expectFactoryError(await forget(body), { status: 422, code: 'VALIDATION_ERROR', fields: [field] })
  })
})

describe('POST /api/auth/reset-password', () => {
  test('a token works once, and with spaces around it', async () => {
    const { email, resetToken } = await forgetful()
    const answers = await Promise.all(
      ['first one', 'second one'].map((new_password) => reset({ token: ` ${resetToken}\n`, new_password })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400])
    expectFactoryError(await reset({ token: resetToken, new_password: NEW }), REFUSED)
    const worked = answers[0]!.status === 200 ? 'first one' : 'second one'
    expect((await signIn(email, worked)).status).toBe(200)
  })

  test.each(['reset_', 'x', `reset_${'A'.repeat(43)}`, '000000', "' or 1=1 --"])(
    '%p is no token: 400',
    async (token) => {
      const answer = await reset({ token, new_password: NEW })
      expectFactoryError(answer, REFUSED)
      expectWithout(answer, NEW)
      expect(await auditedOf(server, answer)).toEqual(['password_reset.failed'])
    },
  )

  test('a token ends after half an hour, and with a newer one', async () => {
    const late = await forgetful()
    const expire = sql`update password_resets set code_expires_at = now() - interval '1 second' where email = ${late.email}`
    await query(server, expire)
    expectFactoryError(await reset({ token: late.resetToken, new_password: NEW }), REFUSED)
    const older = await forgetful()
    await forget({ email: older.email })
    const newer = resetTokenIn(await mailTo(server, older.email, 2))
    expectFactoryError(await reset({ token: older.resetToken, new_password: NEW }), REFUSED)
    expect((await reset({ token: newer, new_password: NEW })).status).toBe(200)
  })

  test('neither is a code a token, nor a token a code; wrong codes leave a token valid', async () => {
    const { email, resetToken } = await forgetful()
    const confirm = (token: string) =>
      ask('POST', '/api/v1/auth/password-reset/confirm', { body: { email, token, new_password: NEW } })
    for (let i = 0; i < 6; i++) expect((await confirm(`${i}00000`)).status).toBe(401)
    expect((await reset({ token: resetToken, new_password: NEW })).status).toBe(200)
    await ask('POST', '/api/v1/auth/password-reset', { body: { email } })
    const code = codeIn(await mailTo(server, email, 3))
    expect(code).toMatch(/^\d{6}$/)
    expectFactoryError(await reset({ token: code, new_password: NEW }), REFUSED)
    expect((await confirm(code)).status).toBe(204)
  })

  test.each<[string, object, string[]]>([
    ['nothing', {}, ['new_password', 'token']],
    ['a short password', { token: 'x', new_password: '12345' }, ['new_password']],
    ['an empty token', { token: ' ', new_password: NEW }, ['token']],
    ['a token that is a number', { token: 5, new_password: NEW }, ['token']],
  ])('%s: 422', async (_, body, fields) => {
    expectFactoryError(await reset(body), { status: 422, code: 'VALIDATION_ERROR', fields })
  })

  test('a short password leaves the token valid', async () => {
    const { resetToken } = await forgetful()
    await reset({ token: resetToken, new_password: '12345' })
    expect((await reset({ token: resetToken, new_password: NEW })).status).toBe(200)
  })
})
