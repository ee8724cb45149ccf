import { and, eq, or, type SQL, sql } from 'drizzle-orm'
import { violatedConstraint } from '../../db/errors.ts'
import { users } from '../../db/schema/index.ts'
import type { Core, Tx } from '../context.ts'
import { AppError, invalid, notFound } from '../errors.ts'
import type { Language } from '../messages.ts'
import { type Limit, throttleFailures } from '../throttle.ts'
import { transaction } from '../transaction.ts'
import { assertUsername, deriveUsername } from './names.ts'
import { hashPassword, verifyPassword } from './passwords.ts'
import { isAdmin, type Role } from './permissions.ts'
import type { Principal } from './principals.ts'
import { endSessions } from './sessions.ts'

export type User = typeof users.$inferSelect

export interface NewAccount {
  email: string
  password: string
  username?: string | undefined
  displayName?: string | undefined
  role?: Role
}

type NewRow = Pick<
  typeof users.$inferInsert,
  'username' | 'displayName' | 'email' | 'passwordHash' | 'role' | 'emailConfirmedAt'
>

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
      return await insertAccount(ctx, {
        username,
        displayName: input.displayName ?? username,
        email: input.email,
        passwordHash,
        role: input.role ?? 'user',
      })
    } catch (error) {
      const lost = error instanceof AppError && error.code === 'USERNAME_TAKEN'
      if (!lost || input.username !== undefined || attempt === DERIVED_TRIES) throw error
    }
  }
}

/** @throws AppError EMAIL_TAKEN, USERNAME_TAKEN; a transaction is lost then */
export async function insertAccount(ctx: Core, row: NewRow): Promise<User> {
  try {
    const [user] = await ctx.db
      .insert(users)
      .values({ uuid: Bun.randomUUIDv7(), ...row })
      .returning()
    return user!
  } catch (error) {
    throw uniqueError(error)
  }
}

/** By email or by username, whichever `name` is; for sign-in. The database judges the case, as for their uniqueness. */
export async function findAccount(ctx: Core, name: string): Promise<User | undefined> {
  const [user] = await ctx.db
    .select()
    .from(users)
    .where(or(hasEmail(name), sql`lower(${users.username}) = lower(${name})`))
  return user
}

/**
 * One's own account, or anybody's for an administrator. Others are told the same whether there is such a user or not.
 * @throws AppError PERMISSION_DENIED, NOT_FOUND
 */
export async function lookUpByEmail(ctx: Core, principal: Principal, email: string): Promise<User> {
  const user = await findByEmail(ctx, email)
  if (!isAdmin(principal.role) && user?.id !== principal.userId) throw new AppError('PERMISSION_DENIED')
  if (!user) throw notFound('user', email)
  return user
}

export async function findByEmail(ctx: Core, email: string): Promise<User | undefined> {
  const [user] = await ctx.db.select().from(users).where(hasEmail(email))
  return user
}

/** Emails are unique, and found, in any case of their letters. */
export const hasEmail = (email: string): SQL => sql`lower(${users.email}) = lower(${email})`

/** @throws AppError NOT_FOUND */
export async function getAccount(ctx: Core, userId: number): Promise<User> {
  const [user] = await ctx.db.select().from(users).where(eq(users.id, userId))
  if (!user) throw notFound('user', userId)
  return user
}

/** What `user.updated` calls the fields that may change. */
const SHOWN_FIELDS = {
  username: 'username',
  displayName: 'full_name',
  avatarUrl: 'avatar_url',
  bio: 'bio',
  role: 'role',
  isActive: 'is_active',
} as const

/** The fields that a change sets, as they are shown. */
export const shownFields = (change: { [K in keyof typeof SHOWN_FIELDS]?: unknown }): string[] =>
  Object.entries(SHOWN_FIELDS).flatMap(([name, shown]) =>
    change[name as keyof typeof SHOWN_FIELDS] === undefined ? [] : [shown],
  )

/** @throws AppError VALIDATION_FAILED, USERNAME_TAKEN */
export async function updateProfile(
  ctx: Core,
  userId: number,
  change: {
    username?: string | undefined
    displayName?: string | undefined
    avatarUrl?: string | null | undefined
    bio?: string | null | undefined
  },
): Promise<User> {
  if (change.username !== undefined) assertUsername(change.username)
  const fields = shownFields(change)
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

/** Of the current password: whoever took over a session must not find it out. */
const guessLimits = (userId: number): Limit[] => [
  { key: `password:${userId}`, max: 10, windowMs: 5 * 60_000 },
]

/**
 * Ends the user's other sessions too, and tells them by mail.
 * @throws AppError VALIDATION_FAILED when the current password is wrong or the new one too short, RATE_LIMITED
 */
export async function changePassword(
  ctx: Core,
  { userId, sessionId }: Pick<Principal, 'userId' | 'sessionId'>,
  input: { currentPassword: string; newPassword: string; language: Language },
): Promise<void> {
  assertPassword(ctx, input.newPassword, 'new_password')
  const user = await throttleFailures(ctx, guessLimits(userId), async () => {
    const found = await getAccount(ctx, userId)
    return (await verifyPassword(input.currentPassword, found.passwordHash)) ? found : undefined
  })
  if (!user) throw invalid('current_password', 'current_password')
  const passwordHash = await hashPassword(input.newPassword)
  await transaction(ctx, async (tx) => {
    const changed = await tx.db
      .update(users)
      .set({ passwordHash, updatedAt: sql`now()` })
      .where(and(eq(users.id, userId), eq(users.passwordHash, user.passwordHash)))
      .returning({ id: users.id })
    // Changed or reset in the meantime: who knew the old one must not undo that.
    if (changed.length === 0) throw invalid('current_password', 'current_password')
    await endSessions(tx, userId, 'password_changed', sessionId)
    await tellPasswordChanged(tx, userId, input.language)
  })
}

/** To the owner, who may not have been the one who changed it. */
export async function tellPasswordChanged(tx: Tx, userId: number, language: Language): Promise<void> {
  await tx.queue.enqueue(tx, 'mail', { letter: 'password_changed', userId, language })
}

/**
 * The floor that the operator set; a contract's own documented minimum is part of its model.
 * @throws AppError VALIDATION_FAILED
 */
export function assertPassword(ctx: Core, password: string, field: string): void {
  const limit = ctx.config.passwordMinLength
  if (password.length < limit) throw invalid(field, 'min_length', { limit })
}

function uniqueError(error: unknown): AppError {
  const constraint = violatedConstraint(error)
  if (constraint === 'users_email_key') return new AppError('EMAIL_TAKEN')
  if (constraint === 'users_username_key') return new AppError('USERNAME_TAKEN')
  throw error
}
