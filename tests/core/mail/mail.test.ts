/** The job that writes and sends mails. It draws the code when it writes the mail, and tries again while the mail server is away. */
import { describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { writeLetter } from '../../../src/core/mail/letters.ts'
import { api } from '../../support/api.ts'
import { makeUser, unique } from '../../support/factories.ts'
import { codeIn, MailServer } from '../../support/mail.ts'
import { eventually } from '../../support/process.ts'
import { query, startServer, type TestServer } from '../../support/server.ts'

const signup = async (server: TestServer) => {
  const username = unique('m')
  const body = { username, email: `${username}@example.com`, password: 'long enough' }
  expect((await api(server, 'POST', '/api/v1/auth/verifications', { body })).status).toBe(202)
  return body
}
const verify = (server: TestServer, email: string, token: string) =>
  api(server, 'POST', '/api/v1/auth/verifications/verify', { body: { email, token } })
const jobs = (server: TestServer) =>
  query(server, sql`select state::text, retry_count, data, output from pgboss.job where name = 'mail'`)

describe('a mail server', () => {
  test('that is away delays no request, and the mail with a new code comes when it is back', async () => {
    await using mails = await MailServer.start()
    await mails.stop()
    const server = await startServer({ SMTP_URL: mails.url })
    try {
      const { email } = await signup(server)
      await eventually(
        async () => (await jobs(server)).some(({ state }) => state === 'retry'),
        'a failed try',
      )
      await query(server, sql`update signups set code_expires_at = now() where email = ${email}`)
      await mails.start()
      const mail = await mails.to(email)
      expect((await verify(server, email, codeIn(mail))).status).toBe(200)
      const kept = JSON.stringify(await jobs(server))
      expect(kept).not.toContain(email)
      expect(kept).not.toContain(codeIn(mail))
    } finally {
      await server.stop()
    }
  })

  test('that refuses an address for good is not asked again', async () => {
    await using mails = await MailServer.start({
      disabledCommands: ['STARTTLS'],
      onRcptTo: (_address, _session, done) =>
        done(Object.assign(new Error('no such mailbox'), { responseCode: 550 })),
    })
    const server = await startServer({ SMTP_URL: mails.url })
    try {
      await signup(server)
      await eventually(async () => (await jobs(server)).some(({ state }) => state === 'completed'), 'its end')
      expect((await jobs(server)).map(({ retry_count }) => retry_count)).toEqual([0])
    } finally {
      await server.stop()
    }
  })

  test('that is slow to answer delays no request for a mail', async () => {
    const answered = Promise.withResolvers<void>()
    await using mails = await MailServer.start({
      disabledCommands: ['STARTTLS'],
      onMailFrom: (_address, _session, done) => void answered.promise.then(() => done()),
    })
    const server = await startServer({ SMTP_URL: mails.url })
    try {
      const { user } = await makeUser(server)
      const answer = await api(server, 'POST', '/api/v1/auth/password-reset', { body: { email: user.email } })
      expect(answer.status).toBe(204)
      expect(mails.received).toEqual([])
      answered.resolve()
      expect((await mails.to(user.email)).subject).toBe('重置密码的验证码')
    } finally {
      await server.stop()
    }
  })
})

describe('every letter', () => {
  const KINDS = ['signup', 'email_taken', 'password_reset', 'password_changed'] as const
  const code = { code: '012345', username: 'mei', link: 'https://app.example.com/?a=1&b=2#token=012345' }

  test.each(KINDS)('%s has the same content as text and as HTML, in two languages', (kind) => {
    const letters = (['zh', 'en'] as const).map((language) => {
      const letter = writeLetter(kind, language, [code])
      const text = letter.html
        .replace(/<head>.*<\/head>/s, '')
        .replace(/<[^>]+>/g, '')
        .replace(/&amp;/g, '&')
      for (const line of letter.text.split('\n').filter((line) => line && !line.includes('https:'))) {
        expect(text).toContain(line)
      }
      expect(letter.html).toContain('href="https://app.example.com/?a=1&amp;b=2#token=012345"')
      expect(letter.text).toContain(code.link)
      expect(/[\u4e00-\u9fff]/.test(letter.subject + letter.text)).toBe(language === 'zh')
      return letter
    })
    expect(letters[0]!.subject).not.toBe(letters[1]!.subject)
  })

  test('markup in a username or a link is escaped', () => {
    const { html } = writeLetter('signup', 'en', [
      { code: '012345', username: '<img src=x>', link: 'https://x/"><script>' },
    ])
    expect(html).not.toContain('<img')
    expect(html).not.toContain('<script')
    expect(html).not.toContain('x/">')
  })
})
