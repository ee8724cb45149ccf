/** One mail to one person. */
export interface Mail {
  to: string
  subject: string
  text: string
  html: string
}

/** Where mails go: to an SMTP server, or into files. */
export interface Mailer {
  readonly kind: 'smtp' | 'files'
  /**
   * Hands a mail over.
   * @throws MailRefused when no later try could help; another Error when one may. Neither says anything of the mail.
   */
  send(mail: Mail): Promise<void>
  /** Round trip in milliseconds; rejects when mails can't be handed over now. */
  ping(): Promise<number>
  /** Removes mails that are kept here and older, and says how many. */
  removeOlder(than: Date): Promise<number>
  close(): void
}

/** The address takes no mail, or not this one. */
export class MailRefused extends Error {
  override name = 'MailRefused'
}

/** What is the same in every mail of ours. Mails are never made from files or URLs that a text could name. */
export const mailDefaults = (from: string) => ({
  from,
  disableFileAccess: true,
  disableUrlAccess: true,
  // RFC 3834: no out-of-office answers to a machine.
  headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
})
