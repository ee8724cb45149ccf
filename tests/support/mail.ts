/** Mailboxes: a real SMTP server in this process, and the files of a server without one. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import PostalMime, { type Email } from 'postal-mime'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { mailHandle } from '../../src/core/mail/job-handle.ts'
import { eventually, freePort } from './process.ts'
import type { TestServer } from './server.ts'

export interface Received {
  mail: Email
  raw: string
  /** The envelope's. */
  recipients: string[]
  /** Whether it came over TLS. */
  secure: boolean
}

/** Takes every mail, unless the options say otherwise. Without STARTTLS: its certificate would have to be trusted. */
export class MailServer implements AsyncDisposable {
  readonly received: Received[] = []
  private server: SMTPServer | undefined

  private constructor(
    readonly port: number,
    private readonly options: SMTPServerOptions,
  ) {}

  static async start(options: SMTPServerOptions = { disabledCommands: ['STARTTLS'] }): Promise<MailServer> {
    const server = new MailServer(freePort(), options)
    await server.start()
    return server
  }

  get url(): string {
    return `smtp://127.0.0.1:${this.port}`
  }

  async start(): Promise<void> {
    const server = new SMTPServer({
      authOptional: true,
      logger: false,
      ...this.options,
      onData: async (stream, session, callback) => {
        const chunks: Uint8Array[] = []
        for await (const chunk of stream) chunks.push(chunk)
        const raw = Buffer.concat(chunks)
        this.received.push({
          mail: await PostalMime.parse(raw),
          raw: raw.toString(),
          recipients: session.envelope.rcptTo.map(({ address }) => address),
          secure: session.secure,
        })
        callback()
      },
    })
    server.on('error', () => {})
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve))
    this.server = server
  }

  /** The newest mail to somebody, once there are `count`. */
  to = (email: string, count = 1): Promise<Email> =>
    nthMail(() => this.received.map(({ mail }) => mail), email, count)

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.server?.close(() => resolve()))
    this.server = undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.server) await this.stop()
  }
}

const outboxOf = (server: TestServer): string => join(server.ctx.config.dataDir, 'outbox')

const readOutbox = (outbox: string): Promise<Email[]> =>
  Promise.all(
    readdirSync(outbox)
      .filter((name) => name.endsWith('.eml'))
      .sort()
      .map((name) => PostalMime.parse(readFileSync(join(outbox, name)))),
  )

/** The newest mail to somebody in such a directory, once there are `count`. */
export const mailIn = (outbox: string, email: string, count = 1): Promise<Email> =>
  nthMail(() => readOutbox(outbox), email, count)

/** The newest mail to somebody that a server without SMTP wrote, once there are `count`. */
export const mailTo = (server: TestServer, email: string, count = 1): Promise<Email> =>
  mailIn(outboxOf(server), email, count)

export const mailsTo = async (server: TestServer, email: string): Promise<Email[]> =>
  (await readOutbox(outboxOf(server))).filter((mail) => isTo(mail, email))

/** Waits until the server has no more mails to send. */
export const mailQueueEmpty = (server: TestServer): Promise<unknown> =>
  eventually(async () => {
    const { waiting, running } = await server.ctx.queue.pending(mailHandle)
    return waiting + running === 0
  }, 'the queue of mails is empty')

/** Domains have no case (RFC 5321, 2.4). */
const isTo = (mail: Email, email: string) =>
  mail.to?.some(({ address }) => address?.toLowerCase() === email.toLowerCase()) ?? false

function nthMail(read: () => Email[] | Promise<Email[]>, email: string, count: number): Promise<Email> {
  return eventually(
    async () => {
      const mails = (await read()).filter((mail) => isTo(mail, email))
      return mails.length >= count && mails.at(-1)
    },
    `mail ${count} to ${email}`,
    15_000,
  )
}

/** The codes of a mail, in their order. */
export const codesIn = (mail: Email): string[] => mail.text?.match(/^\d{6}$/gm) ?? []

export const codeIn = (mail: Email): string => codesIn(mail)[0]!

/** A code that none of these is. */
export const wrongCode = (...codes: string[]): string =>
  ['000000', '111111', '222222', '333333', '444444', '555555', '666666'].find(
    (code) => !codes.includes(code),
  )!

/** The token of a mail for a new password. */
export const resetTokenIn = (mail: Email): string => mail.text?.match(/^reset_[\w-]{43}$/m)?.[0] ?? ''
