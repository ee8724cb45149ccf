import { tidyPassword } from '../../util/fold.ts'

/** The parameters that OWASP recommends for argon2id: 19 MiB, two passes. */
const ARGON2 = { algorithm: 'argon2id', memoryCost: 19_456, timeCost: 2 } as const

export const hashPassword = (password: string): Promise<string> =>
  Bun.password.hash(tidyPassword(password), ARGON2)

/** A hash that no password matches. Every server of this process can use the same one. */
let dummy: Promise<string> | undefined

/** `old`: the password is right, and its hash was made from a form of the text that is no longer used. */
export type PasswordCheck = 'right' | 'old' | 'wrong'

/**
 * Compares off the main thread.
 * @param hash undefined for an unknown user: the work is the same, so that the time does not tell whether an account
 *   exists
 */
export async function checkPassword(password: string, hash: string | undefined): Promise<PasswordCheck> {
  dummy ??= hashPassword(crypto.randomUUID())
  const against = hash ?? (await dummy)
  for (const form of formsOf(password)) {
    if ((await Bun.password.verify(form, against)) && hash !== undefined) {
      return form === tidyPassword(password) ? 'right' : 'old'
    }
  }
  return 'wrong'
}

export const verifyPassword = async (password: string, hash: string | undefined): Promise<boolean> =>
  (await checkPassword(password, hash)) !== 'wrong'

/** The form that is hashed now, and those that were hashed before: as typed, which is NFC or NFD on most keyboards. */
const formsOf = (password: string): Set<string> =>
  new Set([tidyPassword(password), password, password.normalize('NFC'), password.normalize('NFD')])
