/**
 * How a body is signed: docs/contracts/portfolio.md, "Webhooks". `signature` in the body is the contract's own; the header
 * fields are those of https://www.standardwebhooks.com.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { invalid } from '../errors.ts'
import type { WebhookSecret } from './rows.ts'

const PREFIX = 'whsec_'
/** How long a secret that was replaced goes on signing, so that receivers can change theirs without losing a delivery. */
const GRACE_MS = 24 * 3_600_000
/** Secrets that sign at the same time. */
const MAX_SECRETS = 3

export const newSecret = (): string => PREFIX + randomBytes(32).toString('base64')

/** @throws AppError VALIDATION_FAILED when it begins with `whsec_` and the rest is no key */
export function checkedSecret(secret: string): string {
  if (!secret.startsWith(PREFIX)) return secret
  const encoded = secret.slice(PREFIX.length)
  const { length } = Buffer.from(encoded, 'base64')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded) || encoded.length % 4 !== 0 || length < 24 || length > 64)
    throw invalid('secret', 'webhook_secret')
  return secret
}

/** The secrets after a new one has taken the first place. */
export function rotated(secrets: readonly WebhookSecret[], secret: string, now: Date): WebhookSecret[] {
  const [newest, ...older] = secrets
  if (newest?.secret === secret) return [...secrets]
  const until = new Date(now.getTime() + GRACE_MS).toISOString()
  const former = newest ? [{ ...newest, until }, ...older] : []
  return [{ secret }, ...signingNow(former, now).filter((one) => one.secret !== secret)].slice(0, MAX_SECRETS)
}

export const signingNow = (secrets: readonly WebhookSecret[], now: Date): WebhookSecret[] =>
  secrets.filter(({ until }) => until === undefined || new Date(until) > now)

export interface Message {
  /** `msg_…` */
  id: string
  type: string
  /** RFC 3339. */
  at: string
  /** JSON text. */
  data: string
}

/** The body, with the signature by the newest secret. `signature` comes last, so that a receiver can cut it off. */
export function signedBody({ id, type, at, data }: Message, secrets: readonly WebhookSecret[]): string {
  const head = JSON.stringify({ event: type, type, id, timestamp: at })
  const unsigned = `${head.slice(0, -1)},"data":${data}}`
  const signature = createHmac('sha256', secrets[0]!.secret).update(unsigned).digest('hex')
  return `${unsigned.slice(0, -1)},"signature":"sha256=${signature}"}`
}

/** The header fields of an attempt. */
export function signatureFields(
  id: string,
  body: string,
  secrets: readonly WebhookSecret[],
  now: Date,
): Record<string, string> {
  const timestamp = String(Math.floor(now.getTime() / 1000))
  const sign = ({ secret }: WebhookSecret) =>
    createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest('base64')
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signingNow(secrets, now)
      .map((secret) => `v1,${sign(secret)}`)
      .join(' '),
  }
}

const keyOf = (secret: string): Buffer =>
  secret.startsWith(PREFIX) ? Buffer.from(secret.slice(PREFIX.length), 'base64') : Buffer.from(secret, 'utf8')
