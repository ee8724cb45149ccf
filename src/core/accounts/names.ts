import { randomInt } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { users } from '../../db/schema/index.ts'
import { cutText } from '../../util/cut.ts'
import type { Core } from '../context.ts'
import { invalid } from '../errors.ts'

// No '@': one field takes the email or the username.
const USERNAME = /^[\p{L}\p{N}._-]{3,30}$/u

/** @throws AppError VALIDATION_FAILED */
export function assertUsername(username: string): void {
  if (!USERNAME.test(username)) throw invalid('username', 'username')
}

/** A free username made from an email; the unique index has the last word. */
export async function deriveUsername(ctx: Core, email: string): Promise<string> {
  const local = email.split('@')[0]!.replace(/[^\p{L}\p{N}._-]/gu, '')
  const base = cutText(local.padEnd(3, '_'), 24)
  const [taken] = await ctx.db
    .select({ id: users.id })
    .from(users)
    .where(sql`lower(${users.username}) = lower(${base})`)
  return taken ? `${base}${randomInt(10_000, 1_000_000)}` : base
}
