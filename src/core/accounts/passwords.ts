import { tidyPassword } from '../../util/fold.ts'

/** OWASP's parameters for argon2id: 19 MiB, two passes. */
const ARGON2 = { algorithm: 'argon2id', memoryCost: 19_456, timeCost: 2 } as const

export const hashPassword = (password: string): Promise<string> =>
  Bun.password.hash(tidyPassword(password), ARGON2)

let dummy: Promise<string> | undefined

/** `old`: it is the right one in a form in which passwords are not hashed any more. */
export type Verdict = 'right' | 'old' | 'wrong'

/**
 * Compares off the main thread. For an unknown user pass undefined: the work is the same, so that timing does not
 * tell whether an account exists.
 */
export async function judgePassword(password: string, hash: string | undefined): Promise<Verdict> {
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
  (await judgePassword(password, hash)) !== 'wrong'

/** As it is hashed now, and as it was hashed once: as typed, which is one of two forms on most keyboards. */
const formsOf = (password: string): Set<string> =>
  new Set([tidyPassword(password), password, password.normalize('NFC'), password.normalize('NFD')])
