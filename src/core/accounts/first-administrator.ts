import { randomBytes } from 'node:crypto'
import { and, eq, ne, sql } from 'drizzle-orm'
import { users } from '../../db/schema/index.ts'
import { foldCase } from '../../util/fold.ts'
import { StartupError } from '../../util/startup-error.ts'
import { audit, SERVER } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import { transaction } from '../transaction.ts'
import { createAccount, findAccount } from './accounts.ts'
import { mailPasswordChanged } from './password-change.ts'
import { hashPassword } from './passwords.ts'
import { isAdmin } from './permissions.ts'
import type { User } from './rows.ts'
import { endSessions } from './sessions.ts'

/** 132 random bits, or more when PASSWORD_MIN_LENGTH (at most 128) asks for a longer password. */
const randomPassword = (ctx: Context): string =>
  randomBytes(96).toString('base64url').slice(0, Math.max(22, ctx.config.passwordMinLength))

/**
 * Creates the first super administrator when the database has none.
 * @param show gets the password when it is a random one. It is called at once, because no later start can show it.
 */
export async function ensureAdministrator(ctx: Context, show: (password: string) => void): Promise<void> {
  const [existing] = await ctx.db
    .select({ id: users.id })
    .from(users)
    .where(eq(users.role, 'super_admin'))
    .limit(1)
  const { email, password } = ctx.config.admin
  if (existing) {
    if (password) {
      ctx.log.info(
        'ADMIN_PASSWORD changes nothing, because there is an administrator; bun run admin:reset-password sets a new one',
      )
    }
    return
  }
  const chosen = password ?? randomPassword(ctx)
  try {
    await createAccount(ctx, SERVER, {
      email,
      password: chosen,
      displayName: 'Administrator',
      role: 'super_admin',
    })
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'EMAIL_TAKEN') throw error
    // Another server has just created it, or a user with this email exists: that user becomes super administrator and
    // keeps their password.
    await promote(ctx, email)
    return
  }
  if (!password) show(chosen)
}

async function promote(ctx: Context, email: string): Promise<void> {
  await transaction(ctx, async (tx) => {
    const isOther = and(eq(users.emailKey, foldCase(email.trim())), ne(users.role, 'super_admin'))
    const change = { role: 'super_admin', updatedAt: sql`now()` } as const
    const [user] = await tx.db.update(users).set(change).where(isOther).returning({ id: users.id })
    if (!user) return
    const details = { fields: ['role'], after: { role: change.role } }
    audit(tx, SERVER, { action: 'user.updated', target: user.id, subject: user.id, details })
  })
}

/**
 * Gives an administrator a new random password and ends their sessions, for an operator who has lost the password.
 * @param name email or username; when undefined, the only super administrator
 * @throws StartupError with a message that says what to do
 */
export async function resetAdministratorPassword(
  ctx: Context,
  name: string | undefined,
): Promise<{ email: string; password: string }> {
  const user = name ? await findAccount(ctx, name) : await onlySuperAdministrator(ctx)
  if (!user) throw new StartupError(`There is no account ${name}.`)
  if (!isAdmin(user.role)) throw new StartupError(`${user.email} is not an administrator.`)
  const password = randomPassword(ctx)
  const passwordHash = await hashPassword(password)
  await transaction(ctx, async (tx) => {
    await tx.db.update(users).set({ passwordHash, updatedAt: sql`now()` }).where(eq(users.id, user.id))
    const details = { by: 'operator' } as const
    audit(tx, SERVER, { action: 'user.password_reset', target: user.id, subject: user.id, details })
    await endSessions(tx, SERVER, user.id, 'password_reset')
    await mailPasswordChanged(tx, user.id, 'en')
  })
  return { email: user.email, password }
}

/** Administrators that the message names, at most. */
const MAX_NAMED = 10

async function onlySuperAdministrator(ctx: Context): Promise<User | undefined> {
  const found = await ctx.db
    .select()
    .from(users)
    .where(eq(users.role, 'super_admin'))
    .orderBy(users.id)
    .limit(MAX_NAMED)
  if (found.length < 2) return found[0]
  throw new StartupError(
    `There are several super administrators; name one of them: ${found.map(({ email }) => email).join(', ')}`,
  )
}
