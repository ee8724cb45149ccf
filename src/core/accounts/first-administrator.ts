import { eq, sql } from 'drizzle-orm'
import { users } from '../../db/schema/index.ts'
import { randomSecret } from '../../util/secrets.ts'
import type { Core } from '../context.ts'
import { AppError } from '../errors.ts'
import { createAccount } from './accounts.ts'

/**
 * Makes the first super administrator of a database that has none.
 * @returns the password, when it was made up here and has to be shown
 */
export async function ensureAdministrator(ctx: Core): Promise<string | undefined> {
  const [existing] = await ctx.db
    .select({ id: users.id })
    .from(users)
    .where(eq(users.role, 'super_admin'))
    .limit(1)
  if (existing) return undefined
  const { email, password } = ctx.config.admin
  const made = password ?? randomSecret('admin').slice(0, 22)
  try {
    await createAccount(ctx, { email, password: made, displayName: 'Administrator', role: 'super_admin' })
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'EMAIL_TAKEN') throw error
    // Another server made it a moment ago; or a user of that address becomes it, and keeps their password.
    await ctx.db
      .update(users)
      .set({ role: 'super_admin', updatedAt: sql`now()` })
      .where(eq(sql`lower(${users.email})`, email.toLowerCase()))
    return undefined
  }
  return password ? undefined : made
}
