/** OWASP's parameters for argon2id: 19 MiB, two passes. */
const ARGON2 = { algorithm: 'argon2id', memoryCost: 19_456, timeCost: 2 } as const

export const hashPassword = (password: string): Promise<string> => Bun.password.hash(password, ARGON2)

let dummy: Promise<string> | undefined

/**
 * Compares off the main thread. For an unknown user pass undefined: the work is the same, so that timing does not
 * tell whether an account exists.
 */
export async function verifyPassword(password: string, hash: string | undefined): Promise<boolean> {
  dummy ??= hashPassword(crypto.randomUUID())
  const matches = await Bun.password.verify(password, hash ?? (await dummy))
  return matches && hash !== undefined
}
