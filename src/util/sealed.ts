import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** Encrypts what is stored and must be read again, such as another service's password. */
export interface Sealed {
  /** @param purpose of the text; a text that was sealed for one purpose cannot be opened for another */
  seal(purpose: string, text: string): string
  /** Undefined when it was sealed with another secret, or has been changed. */
  open(purpose: string, sealed: string): string | undefined
}

const IV_BYTES = 12
const TAG_BYTES = 16

/** AES-256-GCM with one key for each purpose, derived from `secret` (RFC 5869). */
export function createSealed(secret: string): Sealed {
  const keys = new Map<string, Buffer>()
  const keyOf = (purpose: string): Buffer => {
    const key = keys.get(purpose) ?? Buffer.from(hkdfSync('sha256', secret, '', `roost:seal:${purpose}`, 32))
    keys.set(purpose, key)
    return key
  }
  return {
    seal(purpose, text) {
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv('aes-256-gcm', keyOf(purpose), iv)
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url')
    },
    open(purpose, sealed) {
      const bytes = Buffer.from(sealed, 'base64url')
      if (bytes.length < IV_BYTES + TAG_BYTES) return undefined
      const decipher = createDecipheriv('aes-256-gcm', keyOf(purpose), bytes.subarray(0, IV_BYTES))
      decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES))
      try {
        const body = bytes.subarray(IV_BYTES + TAG_BYTES)
        return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8')
      } catch {
        return undefined
      }
    },
  }
}
