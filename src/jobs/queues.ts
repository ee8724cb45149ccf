/**
 * What the jobs of each queue carry. Ids rather than data: a job may run long after it was written, on another
 * server, and more than once.
 */
export interface Payloads {
  thumbnail: { materialId: number }
  /** The objects of a deleted material, to where nobody else fetches them. */
  put_away: { materialId: number }
  mail: MailJob
}

/** Which letter to write, and to whom. Its code is made when it is written, and stands in no job. */
export type MailJob =
  | { letter: 'signup'; signupIds: string[] }
  | { letter: 'password_reset'; resetId: string }
  | { letter: 'password_changed'; userId: number; language: 'zh' | 'en' }

export interface QueueOptions {
  /** A run that takes longer fails, and its signal is aborted. */
  timeoutSeconds: number
  /** Runs after the first one has failed; then the job is given up. */
  retries: number
  /** The first pause before a retry is one to two times `seconds`, every further one twice as long, up to `maxSeconds`. */
  backoff: { seconds: number; maxSeconds: number }
}

export const QUEUES: { [Q in keyof Payloads]: QueueOptions } = {
  thumbnail: { timeoutSeconds: 180, retries: 4, backoff: { seconds: 2, maxSeconds: 300 } },
  // Given up, what was deleted would stay public: it outlasts a day without the object store.
  put_away: { timeoutSeconds: 600, retries: 40, backoff: { seconds: 2, maxSeconds: 3600 } },
  // Patient for a few hours: a mail server that is away is nobody's fault. What has expired by then is not sent.
  mail: { timeoutSeconds: 60, retries: 30, backoff: { seconds: 2, maxSeconds: 600 } },
}
