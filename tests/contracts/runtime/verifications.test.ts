import { afterAll, describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { auditedOf } from '../../support/audited.ts'
import { describedApi } from '../../support/described.ts'
import { makeUser, unique } from '../../support/factories.ts'
import {
  codeIn,
  codesIn,
  MailServer,
  mailQueueEmpty,
  mailsTo,
  mailTo,
  wrongCode,
} from '../../support/mail.ts'
import { query, startServer } from '../../support/server.ts'
import {
  expectAnswer,
  expectRuntimeError,
  expectWithout,
  NEVER_SHOWN,
  RUNTIME_SESSION,
} from '../../support/shapes.ts'

const server = await startServer({
  ALLOWED_ORIGINS: 'https://app.example.com',
  PUBLIC_URL: 'https://roost.example.com/base',
})
afterAll(() => server.stop())
const ask = describedApi(server)
const post = (path: string, body: object, headers: Record<string, string> = {}) =>
  ask('POST', `/api/v1/auth/${path}`, { body, headers })

const SECRET = 'S3cret-Password'
const signup = (change: object = {}) => {
  const username = unique('s')
  return { username, email: `${username}@example.com`, password: SECRET, ...change }
}
const verify = (email: string, token: string) => post('verifications/verify', { email, token })

describe('the whole sign-up', () => {
  test('by reading the mail from an SMTP server', async () => {
    await using mails = await MailServer.start()
    const smtp = await startServer({ SMTP_URL: mails.url, MAIL_FROM: 'Roost <hello@roost.example.com>' })
    try {
      const say = describedApi(smtp)
      const body = signup()
      const asked = await say('POST', '/api/v1/auth/verifications', { body })
      expectAnswer(asked, 202, { email: 'string' })
      expect(asked.body).toEqual({ email: body.email })
      const mail = await mails.to(body.email)
      expect(mail.from).toMatchObject({ name: 'Roost', address: 'hello@roost.example.com' })
      expect(mail.subject).toBe('您的注册验证码')
      expect(mail.text).toContain(body.username)
      expect(mail.html).toContain(`>${codeIn(mail)}<`)
      expect(mail.html).toContain('lang="zh"')
      expectWithout({ text: mail.text + mail.html! }, SECRET, 'undefined')
      const answer = await say('POST', '/api/v1/auth/verifications/verify', {
        body: { email: body.email, token: codeIn(mail) },
      })
      expectAnswer(answer, 200, RUNTIME_SESSION)
      expect(answer.body).toMatchObject({
        expires_in: 3600,
        token_type: 'bearer',
        user: { email: body.email },
      })
      expectWithout(answer, SECRET, ...NEVER_SHOWN)
      const token = answer.body.access_token
      expect((await say('GET', '/api/v1/users/me', { token })).body).toEqual({
        id: answer.body.user.id,
        username: body.username,
        avatar_url: null,
        bio: null,
      })
      const email = encodeURIComponent(body.email)
      const account = await say('GET', `/api/v1/auth/users?email=${email}`, { token })
      expect(Date.parse(account.body.email_confirmed_at)).toBeGreaterThan(Date.now() - 60_000)
      // The account works on every contract.
      const { password } = body
      expect((await say('POST', '/api/auth/login', { body: { email: body.email, password } })).status).toBe(
        200,
      )
    } finally {
      await smtp.stop()
    }
  })

  test('by the file, in English, of an email with capital letters', async () => {
    const body = signup({ email: `${unique('S')}@Example.com` })
    const headers = { 'accept-language': 'en-GB,en;q=0.9' }
    expect((await post('verifications', body, headers)).body).toEqual({ email: body.email })
    const mail = await mailTo(server, body.email)
    expect(mail.subject).toBe('Your code for signing up')
    expect(mail.html).toContain('lang="en"')
    const answer = await verify(body.email.toLowerCase(), codeIn(mail))
    expectAnswer(answer, 200, RUNTIME_SESSION)
    expect(answer.body.user.email).toBe(body.email)
  })

  test('with a page and an invite code of null, which are none', async () => {
    const body = signup({ redirect_to: null, invite_code: null })
    expect((await post('verifications', body)).status).toBe(202)
    expect((await verify(body.email, codeIn(await mailTo(server, body.email)))).status).toBe(200)
  })

  test('leaves nothing secret in the database, nor in the queue', async () => {
    const body = signup()
    await post('verifications', body)
    const code = codeIn(await mailTo(server, body.email))
    const rows = await query(
      server,
      sql`select to_jsonb(s) as kept from signups s where email = ${body.email}
        union all select to_jsonb(j) from pgboss.job j where name like 'mail%'`,
    )
    expect(rows.length).toBeGreaterThan(1)
    for (const { kept } of rows) {
      // Ids and times are left out, because their digits may look like a code.
      const text = JSON.stringify(kept).replace(/[0-9a-f]{8}-[0-9a-f-]{27}|[\d-]{10}[T ][\d:.+]+/g, '')
      expect(text).not.toContain(`"${code}"`)
      expect(text).not.toContain(SECRET)
    }
    const jobs = rows.filter(({ kept }) => (kept as { name?: string }).name)
    expect(JSON.stringify(jobs)).not.toContain('@')
  })
})

describe('POST /api/v1/auth/verifications', () => {
  test.each<[string, object, string[]]>([
    [
      'nothing',
      { username: undefined, email: undefined, password: undefined },
      ['email', 'password', 'username'],
    ],
    ['a short username', { username: 'ab' }, ['username']],
    ['a long username', { username: 'a'.repeat(31) }, ['username']],
    ['a username with a space', { username: 'a b c' }, ['username']],
    ['a username that looks like an email', { username: 'a@b.example' }, ['username']],
    ['an email that is none', { email: 'a@b' }, ['email']],
    ['an email with a line break', { email: 'a@example.com\r\nBcc: b@example.com' }, ['email']],
    ['two emails', { email: 'a@example.com,b@example.com' }, ['email']],
    ['a long email', { email: `${'a'.repeat(250)}@example.com` }, ['email']],
    ['a short password', { password: '12345' }, ['password']],
    ['a long password', { password: 'p'.repeat(201) }, ['password']],
    ['a redirect that is a number', { redirect_to: 5 }, ['redirect_to']],
    ['an invite code that is an object', { invite_code: {} }, ['invite_code']],
  ])('%s: 422 and names the field', async (_, change, fields) => {
    const answer = await post('verifications', signup(change))
    expectRuntimeError(answer, { status: 422, code: 'VALIDATION_ERROR', fields })
    expect(answer.body).toMatchObject({
      type: 'about:blank',
      title: 'Unprocessable Entity',
      detail: '提交的内容不符合要求',
      instance: '/api/v1/auth/verifications',
    })
    expectWithout(answer, SECRET)
  })

  test('six characters of password, and 中文 as a name, are enough', async () => {
    const answer = await post(
      'verifications',
      signup({ username: unique('张').slice(0, 12), password: '123456' }),
    )
    expect(answer.status).toBe(202)
  })

  test('a taken username, in any case: 409', async () => {
    const { user } = await makeUser(server)
    const answer = await post('verifications', signup({ username: user.username.toUpperCase() }))
    expectRuntimeError(answer, { status: 409, code: 'USERNAME_ALREADY_EXISTS' })
    expect(answer.body.detail).toBe('该用户名已被使用')
  })

  test('a taken email is answered like a free one, after the same work; only the mail differs', async () => {
    const { user } = await makeUser(server)
    const [taken, free] = [signup({ email: user.email }), signup()]
    const answers = [await post('verifications', taken), await post('verifications', free)]
    for (const [i, { email }] of [taken, free].entries()) {
      expect(answers[i]!.status).toBe(202)
      expect(answers[i]!.body).toEqual({ email })
    }
    const mail = await mailTo(server, user.email)
    expect(mail.subject).toBe('您已经有账号了')
    expect(codesIn(mail)).toEqual([])
    await mailTo(server, free.email)
    const rows = await query(
      server,
      sql`select email, code_hash is null as "without", wrong_tries from signups
        where email in (${taken.email}, ${free.email})`,
    )
    expect(rows.length).toBe(2)
    for (const row of rows) expect(row).toMatchObject({ without: false, wrong_tries: 0 })
    // The next steps also give the same answers.
    for (const { email } of [taken, free]) {
      const wrong = await verify(email, '000000')
      expectRuntimeError(wrong, { status: 401, code: 'INVALID_CODE' })
      expect(await auditedOf(server, wrong)).toEqual(['signup.failed'])
      expect((await post('verifications/resend', { email })).status).toBe(204)
    }
    expect((await mailTo(server, user.email, 2)).subject).toBe('您已经有账号了')
    expect((await post('verifications/resend', { email: user.email })).text).toBe('')
  })

  describe('redirect_to', () => {
    test.each([
      'https://app.example.com/welcome',
      'https://app.example.com',
      'https://roost.example.com/hello?a=1',
    ])('%s may be linked to', async (redirect_to) => {
      const body = signup({ redirect_to })
      expect((await post('verifications', body)).status).toBe(202)
      const mail = await mailTo(server, body.email)
      const [, href] = /href="([^"]+)"/.exec(mail.html!)!
      const link = new URL(href!.replaceAll('&amp;', '&'))
      expect(mail.text).toContain(link.href)
      expect(link.href.split('#')[0]).toBe(new URL(redirect_to).href)
      const given = Object.fromEntries(new URLSearchParams(link.hash.slice(1)))
      expect(given).toEqual({ email: body.email, token: codeIn(mail) })
    })

    test('a page that routes by its fragment keeps its route', async () => {
      const body = signup({ redirect_to: 'https://app.example.com/#/verify' })
      await post('verifications', body)
      const mail = await mailTo(server, body.email)
      expect(mail.text).toContain('https://app.example.com/#/verify?email=')
    })

    test.each([
      'https://evil.example.com/',
      'https://app.example.com.evil.example/',
      'https://app.example.com@evil.example/',
      'https://user:pw@app.example.com/',
      'http://app.example.com/',
      'https://app.example.com:8443/',
      '//app.example.com/',
      '/welcome',
      'javascript:alert(1)//https://app.example.com',
      'data:text/html,https://app.example.com',
      'not a url',
      '',
    ])('%p may not: 422, and no mail', async (redirect_to) => {
      const body = signup({ redirect_to })
      const answer = await post('verifications', body)
      expectRuntimeError(answer, { status: 422, code: 'VALIDATION_ERROR', fields: ['redirect_to'] })
      expect(await query(server, sql`select id from signups where email = ${body.email}`)).toEqual([])
    })

    test("the server's own origin as the request names it is not one", async () => {
      const headers = { host: 'evil.example.com' }
      const answer = await post('verifications', signup({ redirect_to: 'http://evil.example.com/' }), headers)
      expect(answer.status).toBe(422)
    })
  })
})

describe('POST /api/v1/auth/verifications/resend', () => {
  test('mails a new code, which ends the old one', async () => {
    const body = signup()
    await post('verifications', body)
    const first = codeIn(await mailTo(server, body.email))
    const answer = await post('verifications/resend', { email: body.email.toUpperCase() })
    expect(answer).toMatchObject({ status: 204, text: '' })
    const second = codeIn(await mailTo(server, body.email, 2))
    if (first !== second) expect((await verify(body.email, first)).status).toBe(401)
    expect((await verify(body.email, second)).status).toBe(200)
  })

  test('an email that nobody signed up with: the same answer, after the same work, and no mail', async () => {
    const count = async () =>
      Number((await query(server, sql`select count(*) as n from pgboss.job where name = 'mail'`))[0]!.n)
    const known = signup()
    await post('verifications', known)
    await mailTo(server, known.email)
    const before = await count()
    const unknown = `${unique('nobody')}@example.com`
    const answers = [
      await post('verifications/resend', { email: unknown }),
      await post('verifications/resend', { email: known.email }),
    ]
    expect(answers.map(({ status, text }) => [status, text])).toEqual([
      [204, ''],
      [204, ''],
    ])
    expect(await count()).toBe(before + 2)
    await mailTo(server, known.email, 2)
    expect(await mailsTo(server, unknown)).toEqual([])
  })

  test.each<[string, object]>([
    ['nothing', {}],
    ['an email that is none', { email: 'x' }],
    ['a list', { email: ['a@example.com'] }],
  ])('%s: 422', async (_, body) => {
    const answer = await post('verifications/resend', body)
    expectRuntimeError(answer, { status: 422, code: 'VALIDATION_ERROR', fields: ['email'] })
  })
})

describe('POST /api/v1/auth/verifications/verify', () => {
  test.each<[string, object, string[]]>([
    ['nothing', {}, ['email', 'token']],
    ['five digits', { email: 'a@example.com', token: '12345' }, ['token']],
    ['seven digits', { email: 'a@example.com', token: '1234567' }, ['token']],
    ['letters', { email: 'a@example.com', token: 'abcdef' }, ['token']],
    ['Roman numerals', { email: 'a@example.com', token: 'ⅠⅡⅢⅣⅤⅥ' }, ['token']],
    ['a number', { email: 'a@example.com', token: 123456 }, ['token']],
    ['a letter among them', { email: 'a@example.com', token: '123a456' }, ['token']],
  ])('%s: 422', async (_, body, fields) => {
    const answer = await post('verifications/verify', body)
    expectRuntimeError(answer, { status: 422, code: 'VALIDATION_ERROR', fields })
  })

  test('a wrong code, and any for an email without a signup: the same 401', async () => {
    const body = signup()
    await post('verifications', body)
    const code = codeIn(await mailTo(server, body.email))
    const wrong = await verify(body.email, wrongCode(code))
    expectRuntimeError(wrong, { status: 401, code: 'INVALID_CODE' })
    expect(wrong.body).toMatchObject({
      title: 'Unauthorized',
      detail: '验证码无效或已过期',
      instance: '/api/v1/auth/verifications/verify',
    })
    expect((await verify(`${unique('nobody')}@example.com`, wrongCode())).text).toBe(wrong.text)
    expect((await verify(body.email, code)).status).toBe(200)
  })

  test('a code works once', async () => {
    const body = signup()
    await post('verifications', body)
    const code = codeIn(await mailTo(server, body.email))
    expect((await verify(body.email, code)).status).toBe(200)
    expect((await verify(body.email, code)).status).toBe(401)
  })

  test('after ten minutes it does not; a resent one does', async () => {
    const body = signup()
    await post('verifications', body)
    const code = codeIn(await mailTo(server, body.email))
    const [left] = await query(
      server,
      sql`select extract(epoch from code_expires_at - now())::int as seconds from signups where email = ${body.email}`,
    )
    expect(left!.seconds).toBeWithin(560, 601)
    await query(
      server,
      sql`update signups set code_expires_at = now() - interval '1 second' where email = ${body.email}`,
    )
    expectRuntimeError(await verify(body.email, code), { status: 401, code: 'INVALID_CODE' })
    await post('verifications/resend', { email: body.email })
    expect((await verify(body.email, codeIn(await mailTo(server, body.email, 2)))).status).toBe(200)
  })

  test('five wrong tries end the code, also when they come at once', async () => {
    const body = signup()
    await post('verifications', body)
    const code = codeIn(await mailTo(server, body.email))
    const wrong = await Promise.all(Array.from({ length: 5 }, () => verify(body.email, wrongCode(code))))
    expect(wrong.map(({ status }) => status)).toEqual(Array(5).fill(401))
    expectRuntimeError(await verify(body.email, code), { status: 401, code: 'INVALID_CODE' })
  })

  test('four do not', async () => {
    const body = signup()
    await post('verifications', body)
    const code = codeIn(await mailTo(server, body.email))
    for (let i = 0; i < 4; i++) await verify(body.email, wrongCode(code))
    expect((await verify(body.email, code)).status).toBe(200)
  })

  test('a wrong try counts against every live code of the email', async () => {
    const email = `${unique('many')}@example.com`
    for (let i = 1; i <= 3; i++) {
      await post('verifications', signup({ email }))
      await mailTo(server, email, i)
    }
    const codes = (await mailsTo(server, email)).map(codeIn)
    for (let i = 0; i < 5; i++) await verify(email, wrongCode(...codes))
    for (const code of codes) expect((await verify(email, code)).status).toBe(401)
  })

  test('the same code twice at once: exactly one account and one session', async () => {
    const body = signup()
    await post('verifications', body)
    const code = codeIn(await mailTo(server, body.email))
    const answers = await Promise.all(Array.from({ length: 5 }, () => verify(body.email, code)))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401, 401])
    const [made] = await query(
      server,
      sql`select count(distinct u.id)::int as users, count(s.id)::int as sessions
        from users u join sessions s on s.user_id = u.id where u.email = ${body.email}`,
    )
    expect(made).toEqual({ users: 1, sessions: 1 })
  })

  test("a stranger's later sign-up with the same email does not take over the owner's code", async () => {
    const owner = signup()
    const stranger = signup({ email: owner.email, password: 'the strangers own' })
    await post('verifications', owner)
    const code = codeIn(await mailTo(server, owner.email))
    await post('verifications', stranger)
    const later = await mailTo(server, owner.email, 2)
    expect(later.text).toContain(stranger.username)
    const answer = await verify(owner.email, code)
    expect(answer.status).toBe(200)
    const me = await ask('GET', '/api/v1/users/me', { token: answer.body.access_token })
    expect(me.body.username).toBe(owner.username)
    const signIn = (password: string) => post('sessions', { email: owner.email, password })
    expect((await signIn(SECRET)).status).toBe(200)
    expect((await signIn('the strangers own')).status).toBe(401)
    // The verification also ended the other sign-up of this email.
    expect((await verify(owner.email, codeIn(later))).status).toBe(401)
  })

  test('resent codes of several signups each name whose they are', async () => {
    const [one, two] = [signup(), signup()]
    two.email = one.email
    await post('verifications', one)
    await post('verifications', two)
    await mailTo(server, one.email, 2)
    await post('verifications/resend', { email: one.email })
    const mail = await mailTo(server, one.email, 3)
    expect(mail.text!.indexOf(one.username)).toBeLessThan(mail.text!.indexOf(two.username))
    const [first] = codesIn(mail)
    const { body } = await verify(one.email, first!)
    const me = await ask('GET', '/api/v1/users/me', { token: body.access_token })
    expect(me.body.username).toBe(one.username)
  })

  test('a username that was taken meanwhile: 409, nothing is half done', async () => {
    const [quick, slow] = [signup(), signup()]
    slow.username = quick.username
    await post('verifications', slow)
    await post('verifications', quick)
    const codes = [codeIn(await mailTo(server, quick.email)), codeIn(await mailTo(server, slow.email))]
    expect((await verify(quick.email, codes[0]!)).status).toBe(200)
    const answer = await verify(slow.email, codes[1]!)
    expectRuntimeError(answer, { status: 409, code: 'USERNAME_ALREADY_EXISTS' })
    expect(await query(server, sql`select id from users where email = ${slow.email}`)).toEqual([])
  })

  test('an email that got an account meanwhile, on another contract: 409', async () => {
    const body = signup()
    await post('verifications', body)
    const code = codeIn(await mailTo(server, body.email))
    const other = { email: body.email, password: 'another password' }
    expect((await ask('POST', '/api/auth/register', { body: other })).status).toBe(201)
    const answer = await verify(body.email, code)
    expectRuntimeError(answer, { status: 409, code: 'EMAIL_ALREADY_EXISTS' })
    expect((await post('sessions', { email: body.email, password: SECRET })).status).toBe(401)
  })
})

test('signups that have expired are forgotten, and their mail is not sent any more', async () => {
  const body = signup()
  await post('verifications', body)
  const code = codeIn(await mailTo(server, body.email))
  await query(
    server,
    sql`update signups set expires_at = now() - interval '1 second' where email = ${body.email}`,
  )
  expect((await verify(body.email, code)).status).toBe(401)
  await post('verifications/resend', { email: body.email })
  await server.ctx.scheduler.runNow('trim_codes')
  expect(await query(server, sql`select id from signups where email = ${body.email}`)).toEqual([])
  await mailQueueEmpty(server)
  expect((await mailsTo(server, body.email)).length).toBe(1)
})
