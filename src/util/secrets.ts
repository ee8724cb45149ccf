import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** A URL-safe random secret with 256 bits of entropy, after a readable prefix. */
export const randomSecret = (prefix: string): string => `${prefix}_${randomBytes(32).toString('base64url')}`

/**
 * The hash of a random secret, which is stored instead of it. A plain hash is enough for 256 bits, and a lookup by it leaks
 * nothing through timing, because an attacker cannot approach a stored hash byte by byte.
 */
export const sha256 = (secret: string): string => createHash('sha256').update(secret).digest('base64url')

/**
 * A hash for secrets that are short enough to guess: nobody can check guesses without the key. Hashes with different
 * purposes differ.
 */
export const keyedHash = (key: string, purpose: string, text: string): string =>
  createHmac('sha256', key).update(`${purpose}\0${text}`).digest('base64url')

/** Compares a secret with what a client sent, in the same time for every wrong text of a length. Hashes have one length. */
export const isSameSecret = (secret: string, given: string): boolean =>
  timingSafeEqual(Buffer.from(sha256(secret)), Buffer.from(sha256(given)))
