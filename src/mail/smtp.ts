import { createTransport } from 'nodemailer'
import { type Mailer, MailRefused, mailDefaults } from './mailer.ts'

/** In ms. A mail server that does not answer must not delay other mails for long. */
const TIMEOUTS = {
  connectionTimeout: 10_000,
  greetingTimeout: 10_000,
  dnsTimeout: 10_000,
  socketTimeout: 20_000,
}
/** In ms. The health endpoint is public, so the mail server is asked at most once in this time. */
const PING_KEPT_MS = 2000

/**
 * Sends mails by SMTP, each over its own connection, encrypted when the mail server offers STARTTLS or `url` is `smtps:`.
 * Does not connect before the first mail. Parameters of `url` are nodemailer's options, as in
 * `?tls.rejectUnauthorized=false`.
 */
export function createSmtpMailer(url: string, from: string): Mailer {
  const transport = createTransport({ url, ...TIMEOUTS }, mailDefaults(from))
  let pinged: { at: number; latency: Promise<number> } | undefined
  const measure = async () => {
    const start = performance.now()
    await transport.verify().catch(rethrow)
    return performance.now() - start
  }
  return {
    kind: 'smtp',
    send: async (mail) => void (await transport.sendMail(mail).catch(rethrow)),
    ping() {
      if (!pinged || pinged.at < performance.now() - PING_KEPT_MS)
        pinged = { at: performance.now(), latency: measure() }
      return pinged.latency
    },
    removeOlder: async () => 0,
    close: () => transport.close(),
  }
}

interface SmtpFault {
  code?: string
  /** The operating system's code, when nodemailer has one of its own in `code`. */
  originalCode?: string
  responseCode?: number
  command?: string
}

/** Keeps only codes of an error, because the mail server's answer may quote the address. */
function rethrow(error: unknown): never {
  const { code, originalCode, responseCode, command } = error as SmtpFault
  const said = [originalCode ?? code, responseCode, command && `to ${command}`].filter(Boolean).join(' ')
  const aboutThisMail = command === 'RCPT TO' || command === 'DATA'
  if (aboutThisMail && responseCode && responseCode >= 500)
    throw new MailRefused(`the mail is refused: ${said}`)
  throw new Error(`the mail server does not take mails: ${said}`)
}
