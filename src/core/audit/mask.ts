import { snakeCase } from '../../util/case.ts'
import { cutText } from '../../util/cut.ts'
import { storable } from '../../util/storable.ts'

const MASK = '[masked]'
const MAX_TEXT = 300
const MAX_ITEMS = 1000
const MAX_DEPTH = 3

/** Names of fields whose values nobody may read in the log. `api_key` is matched as `apikey`. */
const SECRET_NAME =
  /password|passphrase|secret|token|apikey|authorization|cookie|credential|signature|otp|hash$/
/** Secrets that `randomSecret` made, of webhooks (`whsec_…`), JWTs and recharge codes, in whatever field they are. */
const SECRET_VALUE =
  /[a-z]_[\w-]{43}|whsec_[\w+/=-]{16,}|\beyJ[\w-]+\.[\w-]+\.[\w-]+|\bOWL(-[0-9A-Z]{4}){3}\b/i
const EMAIL_NAME = /email/

/**
 * The details of an entry as they are stored, with names in snake_case. Callers name the fields that they record, so a secret
 * should not be among them. This is the guard behind the callers: it masks secrets by the names of their fields and by their
 * form, leaves of an email its first letter and its domain, of a URL its host, and cuts what is long.
 */
export const masked = (details: object): object => storable(maskFields(details, 0))

/** A text that a client or a node chose: one line, cut, and masked as a whole when it contains a secret that has a form. */
export const maskedText = (text: string, length: number): string =>
  storable(SECRET_VALUE.test(text) ? MASK : cutText(text.replace(/[\s\p{Cc}]+/gu, ' ').trim(), length))

function maskFields(fields: object, depth: number): object {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [snakeCase(name), maskValue(name, value, depth)]),
  )
}

function maskValue(name: string, value: unknown, depth: number): unknown {
  const plain = name.toLowerCase().replace(/[^a-z]/g, '')
  if (value === null || typeof value === 'boolean') return value
  if (SECRET_NAME.test(plain)) return MASK
  if (typeof value === 'number') return value
  if (typeof value === 'string') return maskText(EMAIL_NAME.test(plain), value)
  if (typeof value !== 'object' || depth === MAX_DEPTH) return MASK
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => maskValue(name, item, depth + 1))
  return maskFields(value, depth + 1)
}

function maskText(isEmail: boolean, text: string): string {
  if (SECRET_VALUE.test(text)) return MASK
  if (isEmail) return maskEmail(text)
  return cutText(text.replace(/\b[a-z][\w+.-]*:\/\/\S+/gi, hostOnly), MAX_TEXT, '…')
}

/** `a***@example.com` */
function maskEmail(text: string): string {
  const at = text.lastIndexOf('@')
  return at < 1 ? MASK : `${cutText(text, 1)}***${cutText(text.slice(at), MAX_TEXT)}`
}

/** A URL may have a password before its host and a token in its path or query. */
const hostOnly = (url: string): string => (URL.canParse(url) ? `${new URL(url).host}/…` : MASK)
