import { jobHandle } from '../../jobs/job.ts'
import type { Language } from '../messages.ts'

/**
 * Which letter to write, and to whom. The codes of a letter are drawn when it is written, so that no code stands in a
 * job.
 */
export type MailJob =
  | { letter: 'signup'; signupIds: string[] }
  | { letter: 'password_reset'; resetId: string; proof?: 'code' | 'token' }
  | { letter: 'password_changed'; userId: number; language: Language }

/**
 * Writes and sends a letter. The retries last for a few hours, in which a mail server that is away usually comes back;
 * a request that has expired by then gets no mail.
 */
export const mailHandle = jobHandle<MailJob>('mail', {
  timeoutSeconds: 60,
  retries: 30,
  backoff: { seconds: 2, maxSeconds: 600 },
})
