import { createHash, createHmac, randomBytes } from 'node:crypto'

/** A URL-safe random secret with 256 bits of entropy, after a readable prefix. */
export const randomSecret = (prefix: string): string => `${prefix}_${randomBytes(32).toString('base64url')}`

/**
 * What is stored of a random secret. A plain hash is enough at 256 bits, and looking a row up by it leaks
 * nothing through timing: an attacker cannot steer the hash towards a stored one byte by byte.
 */
export const sha256 = (secret: string): string => createHash('sha256').update(secret).digest('base64url')

/**
 * For secrets short enough to be found by trying: without the key nobody can try. `purpose` keeps apart what one key is
 * used for.
 */
export const keyedHash = (key: string, purpose: string, text: string): string =>
  createHmac('sha256', key).update(`${purpose}\0${text}`).digest('base64url')
