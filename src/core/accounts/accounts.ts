import { and, eq, inArray, isNull, or, sql } from 'drizzle-orm'
import { violatedConstraint } from '../../db/errors.ts'
import { prepared } from '../../db/prepared.ts'
import { users } from '../../db/schema/index.ts'
import { foldCase, tidyAscii, tidyName, tidyPassword } from '../../util/fold.ts'
import { type AuditedBy, audit, type Client } from '../audit/audit.ts'
import type { Context, Tx } from '../context.ts'
import { AppError, invalid, notFound } from '../errors.ts'
import { networkOf } from '../rate-limits/keys.ts'
import { enforceLimits } from '../rate-limits/rate-limits.ts'
import { transaction } from '../transaction.ts'
import { ACCOUNT_FIELDS, type AccountField } from './events.ts'
import { principalsHint } from './hints.ts'
import { keysOf, nameKeys, searchKey, usernameKeys } from './name-keys.ts'
import { deriveUsername, readUsername } from './names.ts'
import { hashPassword } from './passwords.ts'
import { isAdmin, type Role } from './permissions.ts'
import type { Actor, Principal } from './principals.ts'
import type { User } from './rows.ts'

export interface NewAccount {
  email: string
  password: string
  username?: string | undefined
  displayName?: string | undefined
  role?: Role | undefined
  isActive?: boolean | undefined
}

/** A new account whose input has been checked. */
export interface CheckedAccount extends Omit<NewAccount, 'password'> {
  passwordHash: string
}

type NewRow = Pick<
  typeof users.$inferInsert,
  'username' | 'displayName' | 'email' | 'passwordHash' | 'role' | 'isActive' | 'emailConfirmedAt'
>

/** Attempts to insert an account whose derived username another sign-up may take first. */
const DERIVED_ATTEMPTS = 5

/** High enough for a class of pupils behind one address who sign up together. */
const REGISTRATIONS = { max: 30, windowMs: 10 * 60_000 }

/**
 * Limits the attempts to register. Failed attempts count too, because each one costs a password hash and tells whether
 * a name is taken.
 * @throws AppError RATE_LIMITED
 */
export const enforceRegistrationLimit = (ctx: Context, ip: string): Promise<void> =>
  enforceLimits(ctx, [{ policy: 'registration', key: networkOf(ip), ...REGISTRATIONS }])

/**
 * Creates an account for a client of the API.
 * @throws AppError RATE_LIMITED, and as `createAccount`
 */
export async function register(ctx: Context, client: Client, input: NewAccount): Promise<User> {
  await enforceRegistrationLimit(ctx, client.ip)
  return createAccount(ctx, { client }, input)
}

/**
 * Creates an account. Without a username, a unique one is derived from the email.
 * @throws AppError VALIDATION_FAILED, EMAIL_TAKEN, USERNAME_TAKEN
 */
export const createAccount = async (ctx: Context, by: AuditedBy, input: NewAccount): Promise<User> =>
  createChecked(ctx, by, await checkAccount(ctx, input))

/**
 * Checks the names and the password, and hashes the password, which takes long and needs no database.
 * @throws AppError VALIDATION_FAILED
 */
export async function checkAccount(
  ctx: Context,
  { password, ...input }: NewAccount,
): Promise<CheckedAccount> {
  const username = input.username === undefined ? undefined : readUsername(input.username)
  assertPassword(ctx, password, 'password')
  return { ...input, username, email: tidyAscii(input.email), passwordHash: await hashPassword(password) }
}

/** {@link createAccount} after {@link checkAccount}. @throws AppError EMAIL_TAKEN, USERNAME_TAKEN */
export function createChecked(ctx: Context, by: AuditedBy, input: CheckedAccount): Promise<User> {
  const { username: wanted, displayName, email, passwordHash, role = 'user', isActive = true } = input
  return transaction(ctx, async (tx) => {
    for (let attempt = 1; ; attempt++) {
      const username = wanted ?? (await deriveUsername(tx, email))
      const name = displayName === undefined ? username : tidyName(displayName)
      const row = { username, displayName: name, email, passwordHash, role, isActive }
      const user = await insertUnlessTaken(tx, by, row)
      if (typeof user !== 'string') return user
      const lost = user === 'USERNAME_TAKEN' && wanted === undefined
      if (!lost || attempt === DERIVED_ATTEMPTS) throw new AppError(user)
    }
  })
}

/**
 * @param by nobody, when the user registers
 * @throws AppError EMAIL_TAKEN, USERNAME_TAKEN
 */
export async function insertAccount(tx: Tx, by: AuditedBy, row: NewRow): Promise<User> {
  const user = await insertUnlessTaken(tx, by, row)
  if (typeof user === 'string') throw new AppError(user)
  return user
}

/** Without an error of PostgreSQL, after which the transaction could not go on with another name. */
async function insertUnlessTaken(
  tx: Tx,
  by: AuditedBy,
  row: NewRow,
): Promise<User | 'EMAIL_TAKEN' | 'USERNAME_TAKEN'> {
  const keys = nameKeys(row)
  const [user] = await tx.db
    .insert(users)
    .values({ uuid: Bun.randomUUIDv7(), ...row, ...keys })
    .onConflictDoNothing()
    .returning()
  if (!user) {
    const taken = await tx.db.select({ id: users.id }).from(users).where(eq(users.emailKey, keys.emailKey))
    return taken.length > 0 ? 'EMAIL_TAKEN' : 'USERNAME_TAKEN'
  }
  recordAccount(tx, by, user)
  return user
}

function recordAccount(tx: Tx, by: AuditedBy, user: User): void {
  const target = { target: user.id, subject: user.id }
  if (by.client && by.userId === undefined) {
    const self = { userId: user.id, username: user.username, client: by.client }
    audit(tx, self, { action: 'user.registered', ...target })
  } else {
    audit(tx, by, { action: 'user.created', ...target, details: { role: user.role } })
  }
}

/** Finds the account whose email or username is `name`. */
export const findAccount = (ctx: Context, name: string): Promise<User | undefined> =>
  findByKey(ctx, name, ['emailKey', 'usernameKey'])

export const findByEmail = (ctx: Context, email: string): Promise<User | undefined> =>
  findByKey(ctx, email, ['emailKey'])

/** Two accounts can match in different spellings: the one with exactly this spelling wins. */
async function findByKey(
  ctx: Context,
  name: string,
  columns: ('emailKey' | 'usernameKey')[],
): Promise<User | undefined> {
  const keys = keysOf(name.trim())
  const found = await ctx.db
    .select()
    .from(users)
    .where(or(...columns.map((column) => inArray(users[column], keys))))
  const exact = found.find((user) => columns.some((column) => user[column] === keys[1]))
  return exact ?? found[0]
}

/**
 * Finds a user's own account, or any account for an administrator. Other users get PERMISSION_DENIED whether the
 * account exists or not, so that they can't find out which emails have accounts.
 * @throws AppError PERMISSION_DENIED, NOT_FOUND
 */
export async function lookUpByEmail(ctx: Context, principal: Principal, email: string): Promise<User> {
  const user = await findByEmail(ctx, email)
  if (!isAdmin(principal.role) && user?.id !== principal.userId) throw new AppError('PERMISSION_DENIED')
  if (!user) throw notFound('user', email)
  return user
}

const accountById = prepared((db) =>
  db
    .select()
    .from(users)
    .where(and(eq(users.id, sql.placeholder('id')), isNull(users.deletedAt)))
    .prepare('account_by_id'),
)

/** @throws AppError NOT_FOUND */
export async function getAccount(ctx: Context, userId: number): Promise<User> {
  const [user] = await accountById(ctx.db).execute({ id: userId })
  if (!user) throw notFound('user', userId)
  return user
}

/** The fields that a change sets. */
export const changedFields = (change: { [K in AccountField]?: unknown }): AccountField[] =>
  ACCOUNT_FIELDS.filter((field) => change[field] !== undefined)

/**
 * The columns that a change of names sets: the names in their stored form, and their keys.
 * @throws AppError VALIDATION_FAILED
 */
export function renamed(
  before: User,
  change: { [N in 'username' | 'displayName' | 'email']?: string | undefined },
): Partial<User> {
  const names: Partial<Pick<User, 'username' | 'displayName' | 'email'>> = {}
  if (change.username !== undefined) names.username = readUsername(change.username)
  if (change.displayName !== undefined) names.displayName = tidyName(change.displayName)
  if (change.email !== undefined) names.email = tidyAscii(change.email)
  // Two accounts that are older than the unique keys may share a name in two spellings. Such an account keeps its keys until
  // it is renamed.
  const { username = before.username, email = before.email } = names
  return {
    ...names,
    ...(username !== before.username && usernameKeys(username)),
    ...(email !== before.email && { emailKey: foldCase(email), emailConfirmedAt: null }),
    searchKey: searchKey({ ...before, ...names }),
  }
}

/**
 * Changes a user's own profile.
 * @throws AppError VALIDATION_FAILED, USERNAME_TAKEN
 */
export async function updateProfile(
  ctx: Context,
  who: Actor,
  change: {
    username?: string | undefined
    displayName?: string | undefined
    avatarUrl?: string | null | undefined
    bio?: string | null | undefined
    /** Null for no warning. */
    lowBalanceMinor?: number | null | undefined
  },
): Promise<User> {
  const { userId } = who
  const fields = changedFields(change)
  if (fields.length === 0) return getAccount(ctx, userId)
  try {
    return await transaction(ctx, async (tx) => {
      const [before] = await tx.db
        .select()
        .from(users)
        .where(and(eq(users.id, userId), isNull(users.deletedAt)))
        .for('update')
      if (!before) throw notFound('user', userId)
      const { username, displayName } = change
      const [user] = await tx.db
        .update(users)
        .set({
          ...renamed(before, { username, displayName }),
          avatarUrl: change.avatarUrl,
          bio: change.bio,
          lowBalanceMinor: change.lowBalanceMinor,
          updatedAt: sql`now()`,
        })
        .where(eq(users.id, userId))
        .returning()
      tx.emit(userId, 'user.updated', { fields })
      tx.afterCommit(() => ctx.bus.publish(principalsHint, { userId }))
      if (user!.username !== before.username) {
        const details = { before: before.username, after: user!.username }
        audit(tx, who, { action: 'user.renamed', target: userId, subject: userId, details })
      }
      return user!
    })
  } catch (error) {
    throw uniqueError(error)
  }
}

/**
 * Checks the length that PASSWORD_MIN_LENGTH asks for. The minimum that a contract documents is part of its model.
 * @throws AppError VALIDATION_FAILED
 */
export function assertPassword(ctx: Context, password: string, field: string): void {
  const limit = ctx.config.passwordMinLength
  if ([...tidyPassword(password)].length < limit) throw invalid(field, 'min_length', { limit })
}

/** @throws the error, when it is no taken name */
export function uniqueError(error: unknown): AppError {
  const constraint = violatedConstraint(error)
  if (constraint === 'users_email_key_idx') return new AppError('EMAIL_TAKEN')
  if (constraint?.startsWith('users_username_')) return new AppError('USERNAME_TAKEN')
  throw error
}
