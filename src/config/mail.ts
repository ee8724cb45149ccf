import type { EnvReader } from './env.ts'

export interface MailConfig {
  /** Undefined: one `.eml` file per message in `dataDir`/outbox. */
  smtpUrl: string | undefined
  /** The sender of every mail, as in a From header. */
  mailFrom: string
}

export function readMail(env: EnvReader): MailConfig {
  const smtpUrl = env.url('SMTP_URL', ['smtp:', 'smtps:'])
  const mailFrom = env.text('MAIL_FROM') ?? 'Roost <no-reply@localhost>'
  if (!/^[^<>\s@]+@[^<>\s@]+$|<[^<>\s@]+@[^<>\s@]+>$/.test(mailFrom)) {
    env.mistakes.push('MAIL_FROM must be an address, as in Roost <no-reply@example.com>')
  }
  return { smtpUrl, mailFrom }
}
