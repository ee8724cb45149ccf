import { randomInt } from 'node:crypto'
import { eq, or } from 'drizzle-orm'
import { users } from '../../db/schema/index.ts'
import { tidyName } from '../../util/fold.ts'
import type { Context } from '../context.ts'
import { invalid } from '../errors.ts'
import { usernameKeys } from './name-keys.ts'

/** No '@': one field takes the email or the username. A mark belongs to the letter before it. */
const USERNAME = /^[\p{L}\p{N}._-][\p{L}\p{M}\p{N}._-]{2,29}$/u
/** Nobody sees them, so that a name with them would look like another one. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/u

/**
 * A username in the form in which it is kept (RFC 8265, 3.4).
 * @throws AppError VALIDATION_FAILED
 */
export function readUsername(text: string): string {
  const username = tidyName(text)
  if (!USERNAME.test(username) || INVISIBLE.test(username)) throw invalid('username', 'username')
  return username
}

/** Whether somebody is called so, or by a name that looks the same. The unique indexes have the last word. */
export async function isTaken(ctx: Context, username: string): Promise<boolean> {
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

/** A free username made from an email. */
export async function deriveUsername(ctx: Context, email: string): Promise<string> {
  const local = email.split('@')[0]!.replace(/[^\p{L}\p{N}._-]/gu, '')
  const base = [...local.padEnd(3, '_')].slice(0, 24).join('')
  return (await isTaken(ctx, base)) ? `${base}${randomInt(10_000, 1_000_000)}` : base
}
