import { version } from '../../../package.json'
import { EgressError, type EgressErrorCode, egressRequest } from '../../util/egress.ts'
import type { Context } from '../context.ts'
import type { AttemptError, WebhookSecret } from './rows.ts'
import { type Message, signatureFields, signedBody } from './signing.ts'

/** What came of an attempt. */
export interface Answer {
  /** HTTP status; null when there was no answer. */
  status: number | null
  /** Null when the receiver has taken the delivery. */
  error: AttemptError | null
  /** Milliseconds for which the receiver asks to wait, by `Retry-After`. */
  retryAfterMs: number | undefined
  durationMs: number
  /** The attempt was stopped, because this server ends. */
  aborted: boolean
}

export interface Target {
  url: string
  secrets: readonly WebhookSecret[]
}

/** The server reads the answer's body up to here and throws it away, so that most receivers can send their whole answer. */
const MAX_READ_BYTES = 16 * 1024
const MAX_READ_MS = 1000

/** Sends a message once. It never rejects. */
export async function attempt(
  { config }: Pick<Context, 'config'>,
  target: Target,
  message: Message,
  signal?: AbortSignal,
): Promise<Answer> {
  const started = performance.now()
  const end = (rest: Partial<Answer>): Answer => ({
    status: null,
    error: null,
    retryAfterMs: undefined,
    aborted: false,
    ...rest,
    durationMs: Math.round(performance.now() - started),
  })
  const body = signedBody(message, target.secrets)
  try {
    const response = await egressRequest(target.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': `Roost-Webhooks/${version}`,
        ...signatureFields(message.id, body, target.secrets, new Date()),
      },
      body,
      timeoutMs: config.webhookTimeoutSeconds * 1000,
      maxBytes: Number.POSITIVE_INFINITY,
      allowPrivate: config.allowPrivateEgress,
      ...(signal && { signal }),
    })
    const { status, headers } = response
    const answer = end({
      status,
      error: errorOf(status),
      retryAfterMs: retryAfter(headers['retry-after'], Date.now()),
    })
    await discard(response.body)
    return answer
  } catch (error) {
    if (!(error instanceof EgressError)) throw error
    return end({ error: CODES[error.code], aborted: error.code === 'ABORTED' })
  }
}

const CODES: Record<EgressErrorCode, AttemptError> = {
  BAD_URL: 'NO_PUBLIC_ADDRESS',
  BLOCKED_ADDRESS: 'NO_PUBLIC_ADDRESS',
  DNS_FAILED: 'NO_PUBLIC_ADDRESS',
  CONNECTION_FAILED: 'CONNECTION_FAILED',
  TIMEOUT: 'TIMEOUT',
  ABORTED: 'CONNECTION_FAILED',
  TOO_LARGE: 'CONNECTION_FAILED',
  TOO_MANY_REDIRECTS: 'REDIRECT',
}

const errorOf = (status: number): AttemptError | null => {
  if (status >= 200 && status < 300) return null
  return status >= 300 && status < 400 ? 'REDIRECT' : 'BAD_STATUS'
}

/** RFC 9110, section 10.2.3: seconds, or a date. */
export function retryAfter(field: string | undefined, now: number): number | undefined {
  const text = field?.trim()
  if (!text) return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

async function discard(body: ReadableStream<Uint8Array>): Promise<void> {
  const reader = body.getReader()
  const timer = setTimeout(() => void reader.cancel().catch(() => undefined), MAX_READ_MS)
  try {
    for (let read = 0; read < MAX_READ_BYTES; ) {
      const { done, value } = await reader.read()
      if (done) return
      read += value.length
    }
  } catch {
    // The server has the status, and needs nothing of the body.
  } finally {
    clearTimeout(timer)
    await reader.cancel().catch(() => undefined)
  }
}
