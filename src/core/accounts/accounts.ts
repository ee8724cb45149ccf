import { eq, or, sql } from 'drizzle-orm'
import { violatedConstraint } from '../../db/errors.ts'
import { users } from '../../db/schema/index.ts'
import type { Core } from '../context.ts'
import { AppError, invalid, notFound } from '../errors.ts'
import { transaction } from '../transaction.ts'
import { assertUsername, deriveUsername } from './names.ts'
import { hashPassword, verifyPassword } from './passwords.ts'
import type { Role } from './permissions.ts'
import type { Principal } from './principals.ts'
import { endOtherSessions } from './sessions.ts'

export type User = typeof users.$inferSelect

export interface NewAccount {
  email: string
  password: string
  username?: string | undefined
  displayName?: string | undefined
  role?: Role
}

/** How often a derived username may lose a race for uniqueness before it is reported. */
const DERIVED_TRIES = 5

/**
 * Creates an account. Without a username it gets a unique one made from the email.
 * @throws AppError VALIDATION_FAILED, EMAIL_TAKEN, USERNAME_TAKEN
 */
export async function createAccount(ctx: Core, input: NewAccount): Promise<User> {
  if (input.username !== undefined) assertUsername(input.username)
  assertPassword(ctx, input.password, 'password')
  const passwordHash = await hashPassword(input.password)
  for (let attempt = 1; ; attempt++) {
    const username = input.username ?? (await deriveUsername(ctx, input.email))
    try {
      const [user] = await ctx.db
        .insert(users)
        .values({
          uuid: Bun.randomUUIDv7(),
          username,
          displayName: input.displayName ?? username,
          email: input.email,
          passwordHash,
          role: input.role ?? 'user',
        })
        .returning()
      return user!
    } catch (error) {
      const taken = uniqueError(error)
      if (taken.code !== 'USERNAME_TAKEN' || input.username !== undefined || attempt === DERIVED_TRIES)
        throw taken
    }
  }
}

/** By email or by username, whichever `name` is; for sign-in. */
export async function findAccount(ctx: Core, name: string): Promise<User | undefined> {
  const [user] = await ctx.db
    .select()
    .from(users)
    .where(
      or(
        eq(sql`lower(${users.email})`, name.toLowerCase()),
        eq(sql`lower(${users.username})`, name.toLowerCase()),
      ),
    )
  return user
}

/** @throws AppError NOT_FOUND */
export async function getAccount(ctx: Core, userId: number): Promise<User> {
  const [user] = await ctx.db.select().from(users).where(eq(users.id, userId))
  if (!user) throw notFound('user', userId)
  return user
}

/** @throws AppError VALIDATION_FAILED, USERNAME_TAKEN */
export async function updateProfile(
  ctx: Core,
  userId: number,
  change: { username?: string | undefined; displayName?: string | undefined },
): Promise<User> {
  if (change.username !== undefined) assertUsername(change.username)
  const fields = Object.entries(change).flatMap(([name, value]) => (value === undefined ? [] : [name]))
  if (fields.length === 0) return getAccount(ctx, userId)
  try {
    return await transaction(ctx, async (tx) => {
      const [user] = await tx.db
        .update(users)
        .set({ ...(change as Partial<User>), updatedAt: sql`now()` })
        .where(eq(users.id, userId))
        .returning()
      if (!user) throw notFound('user', userId)
      tx.emit(userId, 'user.updated', { fields })
      tx.afterCommit(() => ctx.bus.publish('principals', { userId }))
      return user
    })
  } catch (error) {
    throw uniqueError(error)
  }
}

/**
 * Ends the user's other sessions too.
 * @throws AppError VALIDATION_FAILED when the current password is wrong or the new one too short
 */
export async function changePassword(
  ctx: Core,
  { userId, sessionId }: Pick<Principal, 'userId' | 'sessionId'>,
  input: { currentPassword: string; newPassword: string },
): Promise<void> {
  assertPassword(ctx, input.newPassword, 'new_password')
  const user = await getAccount(ctx, userId)
  if (!(await verifyPassword(input.currentPassword, user.passwordHash))) {
    throw invalid('current_password', 'current_password')
  }
  const passwordHash = await hashPassword(input.newPassword)
  await transaction(ctx, async (tx) => {
    await tx.db.update(users).set({ passwordHash, updatedAt: sql`now()` }).where(eq(users.id, userId))
    await endOtherSessions(tx, userId, sessionId, 'password_changed')
  })
}

/** The floor that the operator set; a contract's own documented minimum is part of its model. */
function assertPassword(ctx: Core, password: string, field: string): void {
  const limit = ctx.config.passwordMinLength
  if (password.length < limit) throw invalid(field, 'min_length', { limit })
}

function uniqueError(error: unknown): AppError {
  const constraint = violatedConstraint(error)
  if (constraint === 'users_email_key') return new AppError('EMAIL_TAKEN')
  if (constraint === 'users_username_key') return new AppError('USERNAME_TAKEN')
  throw error
}
