/** A mail to one address. */
export interface Mail {
  to: string
  subject: string
  text: string
  html: string
}

/** Sends mails to an SMTP server, or writes them to files. */
export interface Mailer {
  readonly kind: 'smtp' | 'files'
  /**
   * Sends a mail.
   * @throws MailRefused when a retry cannot help; another Error when a retry may help. Neither contains text of the mail.
   */
  send(mail: Mail): Promise<void>
  /** Round trip in milliseconds; rejects when mails cannot be sent now. */
  ping(): Promise<number>
  /** Removes mail files that are older, and returns how many. */
  removeOlder(than: Date): Promise<number>
  close(): void
}

/** The mail server refuses the address, or this mail. */
export class MailRefused extends Error {
  override name = 'MailRefused'
}

/** Options of every mail. Access to files and URLs is off, so that no text of a mail can name one to be attached. */
export const mailDefaults = (from: string) => ({
  from,
  disableFileAccess: true,
  disableUrlAccess: true,
  // RFC 3834: keeps out-of-office programs from answering.
  headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
})
