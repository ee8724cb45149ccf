/** When a delivery is sent again, and what a failure means for the other deliveries of its webhook. */
import type { Answer } from './attempt.ts'

const MINUTE = 60
const HOUR = 3600
/** Seconds between attempts: together a little over three days, as https://www.standardwebhooks.com proposes. */
export const RETRY_SECONDS = [
  5,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
] as const
/** A delay is longer by up to this part, so that the deliveries of an outage do not all come back at once. */
const JITTER = 0.2
const MAX_RETRY_AFTER_SECONDS = 24 * HOUR

const FIRST_PAUSE_SECONDS = 5
const MAX_PAUSE_SECONDS = 10 * MINUTE

/** A webhook that has failed for so long, and so often, is switched off. */
export const MAX_FAILING_HOURS = 72
export const MAX_FAILURES = 10

export interface Verdict {
  status: 'pending' | 'delivered' | 'failed'
  /** Until the next attempt, when there is one. */
  retrySeconds: number
  /** How long no delivery of the webhook is sent. */
  pauseSeconds: number
  /** The receiver wants nothing more, ever. */
  gone: boolean
}

const NONE = { retrySeconds: 0, pauseSeconds: 0, gone: false }
export const FAILED: Verdict = { ...NONE, status: 'failed' }

/**
 * @param attempts of this delivery, with the one that was answered
 * @param failingSeconds for how long the webhook has failed: since the first failure after its last success
 */
export function judge(
  answer: Answer,
  attempts: number,
  failingSeconds: number,
  random = Math.random,
): Verdict {
  if (answer.error === null) return { ...NONE, status: 'delivered' }
  if (answer.status === 410) return { ...FAILED, gone: true }
  const asked = Math.min((answer.retryAfterMs ?? 0) / 1000, MAX_RETRY_AFTER_SECONDS)
  const pauseSeconds = isOverloaded(answer) ? Math.max(asked, pauseAfter(failingSeconds)) : 0
  return { ...retryAfterFailure(attempts, asked, random), pauseSeconds }
}

/** @param leastSeconds no attempt is made before */
export function retryAfterFailure(attempts: number, leastSeconds = 0, random = Math.random): Verdict {
  const delay = RETRY_SECONDS[attempts - 1]
  if (delay === undefined) return FAILED
  const retrySeconds = Math.max(delay * (1 + JITTER * random()), leastSeconds)
  return { ...NONE, status: 'pending', retrySeconds }
}

/** Whether the receiver as a whole cannot take more now: it says so, or it does not answer. */
const isOverloaded = ({ status, error }: Answer): boolean =>
  status === 429 || status === 502 || status === 503 || status === 504 || error === 'TIMEOUT'

/** As long as it has failed already, so that each pause is about twice as long as the one before. */
const pauseAfter = (failingSeconds: number): number =>
  Math.min(Math.max(failingSeconds, FIRST_PAUSE_SECONDS), MAX_PAUSE_SECONDS)
