import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import PostalMime from 'postal-mime'
import { createFileMailer } from '../../src/mail/files.ts'
import { type Mailer, MailRefused } from '../../src/mail/mailer.ts'
import { createSmtpMailer } from '../../src/mail/smtp.ts'
import { MailServer } from '../support/mail.ts'
import { freePort } from '../support/process.ts'

const FROM = 'Roost 管理员 <no-reply@example.com>'
const MAIL = {
  to: 'mei@example.com',
  subject: '您的验证码：一个很长很长的主题，超过一行的长度，所以必须折行才能放得下 🦉',
  text: 'Line one\n.\n..two\n第三行 🦉\n',
  html: '<p>第三行 🦉</p>\n',
}

const failure = (run: Promise<unknown>): Promise<Error> =>
  run.then(
    () => {
      throw new Error('it did not fail')
    },
    (error) => error,
  )

async function expectMail(raw: Uint8Array | string): Promise<void> {
  const text = typeof raw === 'string' ? raw : new TextDecoder().decode(raw)
  // RFC 5322, 2.1.1: lines end with CRLF and have at most 998 octets; 2.2: no bare 8-bit characters in headers.
  expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
  for (const line of text.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThan(999)
  expect(text.split('\r\n\r\n')[0]).toMatch(/^[\x20-\x7e\r\n\t]+$/)
  const mail = await PostalMime.parse(raw)
  expect(mail.from).toMatchObject({ name: 'Roost 管理员', address: 'no-reply@example.com' })
  expect(mail.to).toMatchObject([{ address: MAIL.to }])
  expect(mail.subject).toBe(MAIL.subject)
  expect(mail.text!.trim()).toBe(MAIL.text.trim())
  expect(mail.html!.trim()).toBe(MAIL.html.trim())
  expect(mail.messageId).toMatch(/^<[^@\s]+@example\.com>$/)
  expect(Math.abs(Date.now() - Date.parse(mail.date!))).toBeLessThan(60_000)
  expect(mail.headers).toContainEqual(
    expect.objectContaining({ key: 'auto-submitted', value: 'auto-generated' }),
  )
}

describe('by SMTP', () => {
  test('a mail arrives as it was written', async () => {
    await using server = await MailServer.start()
    const mailer = createSmtpMailer(server.url, FROM)
    await mailer.send(MAIL)
    const [received] = server.received
    expect(received!.recipients).toEqual([MAIL.to])
    await expectMail(received!.raw)
    expect(await mailer.ping()).toBeNumber()
  })

  test('over TLS when the server offers it, and never without when its certificate is not good', async () => {
    await using server = await MailServer.start({})
    expect((await failure(createSmtpMailer(server.url, FROM).send(MAIL))).message).toContain(
      'CERT_HAS_EXPIRED',
    )
    expect(server.received).toEqual([])
    await createSmtpMailer(`${server.url}?tls.rejectUnauthorized=false`, FROM).send(MAIL)
    expect(server.received.map(({ secure }) => secure)).toEqual([true])
  })

  test('signs in, and a wrong password is told without it', async () => {
    await using server = await MailServer.start({
      disabledCommands: ['STARTTLS'],
      allowInsecureAuth: true,
      authOptional: false,
      onAuth: ({ username, password }, _session, done) =>
        username === 'roost@x' && password === 'p:s/w'
          ? done(null, { user: 1 })
          : done(new Error('no such p:s/w')),
    })
    const url = (password: string) =>
      `smtp://${encodeURIComponent('roost@x')}:${encodeURIComponent(password)}@127.0.0.1:${server.port}`
    await createSmtpMailer(url('p:s/w'), FROM).send(MAIL)
    expect(server.received.length).toBe(1)
    for (const run of ['send', 'ping'] as const) {
      const mailer = createSmtpMailer(url('S3cret-Wrong'), FROM)
      const error = await failure(run === 'send' ? mailer.send(MAIL) : mailer.ping())
      expect(error).not.toBeInstanceOf(MailRefused)
      expect(error.message).toBe('the mail server does not take mails: EAUTH 535 to AUTH PLAIN')
    }
  })

  test.each([
    ['a mailbox that there is not', 'onRcptTo', 550, true],
    ['a mailbox that is busy', 'onRcptTo', 450, false],
    ['a sender that may not send', 'onMailFrom', 550, false],
  ] as const)('%s', async (_, at, responseCode, final) => {
    await using server = await MailServer.start({
      disabledCommands: ['STARTTLS'],
      [at]: (_address: unknown, _session: unknown, done: (error: Error) => void) =>
        done(Object.assign(new Error('<mei@example.com> is not here'), { responseCode })),
    })
    const error = await failure(createSmtpMailer(server.url, FROM).send(MAIL))
    expect(error instanceof MailRefused).toBe(final)
    expect(error.message).toContain(String(responseCode))
    // The error is logged, and stored with the job.
    expect(JSON.stringify({ ...error, message: error.message, cause: error.cause })).not.toContain('mei@')
  })

  test('a server that is not there: an error soon, which says so', async () => {
    const mailer = createSmtpMailer(`smtp://user:S3cret@127.0.0.1:${freePort()}`, FROM)
    for (const error of [await failure(mailer.send(MAIL)), await failure(mailer.ping())]) {
      expect(error).not.toBeInstanceOf(MailRefused)
      expect(error.message).toBe('the mail server does not take mails: ECONNREFUSED to CONN')
      expect(error.message).not.toContain('S3cret')
    }
  })

  test('however often its health is asked for, the server sees one connection', async () => {
    let connections = 0
    await using server = await MailServer.start({
      disabledCommands: ['STARTTLS'],
      onConnect: (_session, done) => {
        connections++
        done()
      },
    })
    const mailer = createSmtpMailer(server.url, FROM)
    await Promise.all(Array.from({ length: 20 }, () => mailer.ping()))
    expect(connections).toBe(1)
  })
})

describe('into files', () => {
  const directory = mkdtempSync(join(tmpdir(), 'roost-mail-'))
  afterAll(() => rmSync(directory, { recursive: true, force: true }))
  const outbox = join(directory, 'outbox')
  const open = (): Promise<Mailer> => createFileMailer(directory, FROM)

  test('one file a mail, whole, for the owner only, in the order of their times', async () => {
    const mailer = await open()
    await mailer.send(MAIL)
    await Bun.sleep(5)
    await mailer.send({ ...MAIL, subject: 'second' })
    const files = readdirSync(outbox).sort()
    expect(files.length).toBe(2)
    for (const file of files) {
      expect(file).toMatch(/^\d{8}T\d{9}Z_[0-9a-f]{8}\.eml$/)
      expect(statSync(join(outbox, file)).mode & 0o777).toBe(0o600)
    }
    expect(statSync(outbox).mode & 0o777).toBe(0o700)
    await expectMail(readFileSync(join(outbox, files[0]!)))
    expect((await PostalMime.parse(readFileSync(join(outbox, files[1]!)))).subject).toBe('second')
  })

  test('people read it as it is, in every language; only a line that is too long for mail is encoded', async () => {
    const mailer = await open()
    const newest = () => readFileSync(join(outbox, readdirSync(outbox).sort().at(-1)!), 'utf8')
    await mailer.send(MAIL)
    expect(newest()).toContain('\r\n第三行 🦉\r\n')
    expect(newest()).toContain('<p>第三行 🦉</p>')
    await Bun.sleep(5)
    const long = 'See https://example.com/ '.repeat(50)
    await mailer.send({ ...MAIL, text: long })
    const raw = newest()
    expect(raw).toContain('quoted-printable')
    expect(raw).not.toContain('base64')
    expect((await PostalMime.parse(raw)).text!.trim()).toBe(long.trim())
  })

  test('many at once each get a file', async () => {
    const mailer = await open()
    const before = readdirSync(outbox).length
    await Promise.all(Array.from({ length: 20 }, () => mailer.send(MAIL)))
    expect(readdirSync(outbox).length).toBe(before + 20)
  })

  test('old ones are removed, the others stay', async () => {
    const mailer = await open()
    const kept = readdirSync(outbox).length
    writeFileSync(join(outbox, 'old.eml'), 'x')
    utimesSync(join(outbox, 'old.eml'), new Date(0), new Date(0))
    expect(await mailer.removeOlder(new Date(Date.now() - 3_600_000))).toBe(1)
    expect(readdirSync(outbox).length).toBe(kept)
  })

  test('a directory that is gone is an error, and bad health', async () => {
    const mailer = await open()
    expect(await mailer.ping()).toBeNumber()
    rmSync(outbox, { recursive: true })
    expect(await failure(mailer.send(MAIL))).toBeInstanceOf(Error)
    expect(await failure(mailer.ping())).toBeInstanceOf(Error)
  })
})
