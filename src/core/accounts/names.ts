import { randomInt } from 'node:crypto'
import { eq, or } from 'drizzle-orm'
import { users } from '../../db/schema/index.ts'
import { tidyName } from '../../util/fold.ts'
import type { Context } from '../context.ts'
import { invalid } from '../errors.ts'
import { usernameKeys } from './name-keys.ts'

/** Without '@', because one field takes an email or a username. A combining mark needs a character before it. */
const USERNAME = /^[\p{L}\p{N}._-][\p{L}\p{M}\p{N}._-]{2,29}$/u
/** Invisible characters, with which a name would look like another one. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u

/**
 * Brings a username into its stored form (RFC 8265, 3.4).
 * @throws AppError VALIDATION_FAILED
 */
export function readUsername(text: string): string {
  const username = tidyName(text)
  if (!USERNAME.test(username) || INVISIBLE.test(username)) throw invalid('username', 'username')
  return username
}

/**
 * Whether a user has this name, or one that looks the same. The unique indexes decide, because another sign-up may take
 * the name after this query.
 */
export async function isUsernameTaken(ctx: Context, username: string): Promise<boolean> {
  const keys = usernameKeys(username)
  const [taken] = await ctx.db
    .select({ id: users.id })
    .from(users)
    .where(
      or(
        eq(users.usernameKey, keys.usernameKey),
        eq(users.usernameLook, keys.usernameLook),
        eq(users.usernameTypedLook, keys.usernameTypedLook),
      ),
    )
    .limit(1)
  return taken !== undefined
}

/** Derives a username from an email. It is free now, and another sign-up may still take it first. */
export async function deriveUsername(ctx: Context, email: string): Promise<string> {
  const local = email.split('@')[0]!.replace(/[^\p{L}\p{N}._-]/gu, '')
  const base = [...local.padEnd(3, '_')].slice(0, 24).join('')
  return (await isUsernameTaken(ctx, base)) ? `${base}${randomInt(10_000, 1_000_000)}` : base
}
