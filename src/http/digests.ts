import { invalid } from '../core/errors.ts'

/** The member of a dictionary (RFC 9651, 3.2) that holds SHA-256; of several the last one counts. */
const MEMBER = /(?:^|,)[ \t]*sha-256[ \t]*=([^,]*)/g
/** A byte sequence (RFC 9651, 3.3.5) of 32 bytes, and parameters without meaning. */
const VALUE = /^[ \t]*:([A-Za-z0-9+/]{43}=?):[ \t]*(?:;.*)?$/

/**
 * The SHA-256 of a Content-Digest or Repr-Digest field (RFC 9530), in lower-case hexadecimal. A server may ignore other
 * algorithms; a client that sends a value which cannot be read believes that the server checks it.
 * @throws AppError VALIDATION_FAILED
 */
export function digestOf(request: Request, field: 'content-digest' | 'repr-digest'): string | undefined {
  const member = [...(request.headers.get(field) ?? '').matchAll(MEMBER)].at(-1)
  if (!member) return undefined
  const base64 = VALUE.exec(member[1]!)?.[1]
  if (!base64) throw invalid(field, 'format')
  return Buffer.from(base64, 'base64').toString('hex')
}
