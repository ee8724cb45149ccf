/** What administrators see and change of accounts, and the statistics of one user. */

import { and, asc, count, desc, eq, isNull, like, or, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { likeLiteral } from '../../db/like.ts'
import { prepared } from '../../db/prepared.ts'
import { passwordResets, tasks, users } from '../../db/schema/index.ts'
import { foldCase } from '../../util/fold.ts'
import { readId } from '../../util/ids.ts'
import { audit, fieldsOf } from '../audit/audit.ts'
import type { Context, Tx } from '../context.ts'
import { AppError, invalid, notFound } from '../errors.ts'
import type { Language } from '../messages.ts'
import { balanceColumns } from '../money/balances.ts'
import { adjustBalance } from '../money/ledger.ts'
import type { Balance } from '../money/transfers.ts'
import { transaction } from '../transaction.ts'
import {
  assertPassword,
  type CheckedAccount,
  changedFields,
  createChecked,
  renamed,
  uniqueError,
} from './accounts.ts'
import { principalsHint } from './hints.ts'
import { mailPasswordChanged } from './password-change.ts'
import { hashPassword } from './passwords.ts'
import { outranked, outranks, type Role } from './permissions.ts'
import type { Actor } from './principals.ts'
import type { User } from './rows.ts'
import { endSessions } from './sessions.ts'

export interface AccountSummary {
  user: User
  totalTasks: number
  balance: Balance
}

// Written as SQL, because Drizzle omits the table's name in a select from one table: `user_id = id` would compare two
// columns of `tasks`.
const totalTasks = sql<number>`(select count(*)::int from ${tasks} t where t.user_id = ${users}.id)`

const selectSummary = (db: Db, where: SQL) =>
  db
    .select({ user: users, totalTasks, balance: balanceColumns })
    .from(users)
    .where(and(where, isNull(users.deletedAt)))

const summaryById = prepared((db) =>
  selectSummary(db, eq(users.id, sql.placeholder('id'))).prepare('account_summary_by_id'),
)

/** @throws AppError NOT_FOUND */
export async function accountSummary(ctx: Context, userId: number): Promise<AccountSummary> {
  const [row] = await summaryById(ctx.db).execute({ id: userId })
  if (!row) throw notFound('user', userId)
  return row
}

/**
 * The account that a path names.
 * @throws AppError NOT_FOUND
 */
export async function findSummary(ctx: Context, id: string): Promise<AccountSummary> {
  const [row] = await selectSummary(ctx.db, userKey(id))
  if (!row) throw notFound('user', id)
  return row
}

/** The condition for the user with this id, an integer or a UUID. */
function userKey(id: string | number): SQL {
  const key = readId(id)
  if (key === undefined) return sql`false`
  return typeof key === 'number' ? eq(users.id, key) : eq(users.uuid, key)
}

export interface UserStatistics {
  totalTasks: number
  completedTasks: number
  failedTasks: number
  runningTasks: number
  totalCostMinor: number
  balanceMinor: number
  lastTaskAt: Date | null
}

const statisticsById = prepared((db) =>
  db
    .select({
      totalTasks: count(tasks.id),
      completedTasks: sql<number>`(count(*) filter (where ${tasks.status} = 'completed'))::int`,
      failedTasks: sql<number>`(count(*) filter (where ${tasks.status} = 'failed'))::int`,
      runningTasks: sql<number>`(count(*) filter (where ${tasks.status} = 'running'))::int`,
      totalCostMinor: sql<number>`coalesce(sum(${tasks.costMinor}), 0)::float8`,
      balanceMinor: balanceColumns.balanceMinor,
      lastTaskAt: sql<Date | null>`max(${tasks.createdAt})`.mapWith((value) =>
        value ? new Date(value) : null,
      ),
    })
    .from(users)
    .leftJoin(tasks, eq(tasks.userId, users.id))
    .where(eq(users.id, sql.placeholder('id')))
    .groupBy(users.id)
    .prepare('user_statistics_by_id'),
)

/** @throws AppError NOT_FOUND */
export async function userStatistics(ctx: Context, userId: number): Promise<UserStatistics> {
  const [row] = await statisticsById(ctx.db).execute({ id: userId })
  if (!row) throw notFound('user', userId)
  return row
}

export interface AccountFilter {
  page: number
  pageSize: number
  role?: Role | undefined
  isActive?: boolean | undefined
  search?: string | undefined
  sortBy?: keyof typeof SORTS | undefined
  sortOrder?: 'asc' | 'desc' | undefined
}

/** Ids grow with the time of creation. */
const SORTS = {
  createdAt: users.id,
  username: users.usernameKey,
  email: users.emailKey,
  lastLoginAt: users.lastLoginAt,
} as const

export async function listAccounts(
  ctx: Context,
  filter: AccountFilter,
): Promise<{ accounts: AccountSummary[]; total: number }> {
  const search = filter.search?.trim()
  const pattern = search && `%${likeLiteral(foldCase(search))}%`
  const where = and(
    isNull(users.deletedAt),
    filter.role && eq(users.role, filter.role),
    filter.isActive === undefined ? undefined : eq(users.isActive, filter.isActive),
    pattern ? or(like(users.searchKey, pattern), like(users.emailKey, pattern)) : undefined,
  )
  const direction = filter.sortOrder === 'asc' ? asc : desc
  const [[total], accounts] = await Promise.all([
    ctx.db.select({ n: count() }).from(users).where(where),
    ctx.db
      .select({ user: users, totalTasks, balance: balanceColumns })
      .from(users)
      .where(where)
      .orderBy(sql`${direction(SORTS[filter.sortBy ?? 'createdAt'])} nulls last`, direction(users.id))
      .limit(filter.pageSize)
      .offset((filter.page - 1) * filter.pageSize),
  ])
  return { accounts, total: total!.n }
}

/**
 * Locks the account that a path names.
 * @throws AppError NOT_FOUND
 */
export async function lockAccount(tx: Tx, id: string | number): Promise<User> {
  const [user] = await tx.db
    .select()
    .from(users)
    .where(and(userKey(id), isNull(users.deletedAt)))
    .for('update')
  if (!user) throw notFound('user', id)
  return user
}

/**
 * Creates an account for somebody else.
 * @param input of `checkAccount`
 * @throws AppError HIGHER_ROLE, EMAIL_TAKEN, USERNAME_TAKEN
 */
export async function addAccount(ctx: Context, admin: Actor, input: CheckedAccount): Promise<User> {
  if (input.role && !outranks(admin.role, input.role)) throw outranked('user.create', admin.role)
  return createChecked(ctx, admin, input)
}

export interface AccountChange {
  role?: Role | undefined
  isActive?: boolean | undefined
  balanceMinor?: number | undefined
  username?: string | undefined
  displayName?: string | undefined
  email?: string | undefined
  /** Of another user. Its owner gets a mail in this language. */
  password?: { text: string; language: Language } | undefined
}

/**
 * Changes an account. An administrator can't change a user with a higher role, or grant a higher role than their own,
 * and the last active super administrator can't be demoted or deactivated. Nobody deactivates their own account or changes its
 * role, because they could not undo it. A deactivation and a new password end all sessions of the user.
 * @throws AppError NOT_FOUND, HIGHER_ROLE, LAST_SUPER_ADMIN, OWN_ACCOUNT, USERNAME_TAKEN, EMAIL_TAKEN, VALIDATION_FAILED also for
 * the administrator's own password
 */
export async function updateAccount(
  ctx: Context,
  admin: Actor,
  id: string | number,
  { balanceMinor, password, ...change }: AccountChange,
): Promise<AccountSummary> {
  if (password) assertPassword(ctx, password.text, 'password')
  const passwordHash = password && (await hashPassword(password.text))
  const run = async (tx: Tx) => {
    const user = await lockAccount(tx, id)
    if (!outranks(admin.role, user.role) || (change.role && !outranks(admin.role, change.role))) {
      throw outranked('user.update', admin.role)
    }
    const loses = (change.role && change.role !== 'super_admin') || change.isActive === false
    if (user.role === 'super_admin' && user.isActive && loses) await assertAnotherSuperAdmin(tx, user.id)
    const changesOwn = (change.role && change.role !== user.role) || change.isActive === false
    if (user.id === admin.userId && changesOwn) throw new AppError('OWN_ACCOUNT')
    // Whoever has got hold of a session must not be able to take the account over.
    if (password && user.id === admin.userId) throw invalid('password', 'own_password')
    const fields = changedFields(change)
    if (fields.length > 0 || passwordHash) {
      const { username, displayName, email, ...same } = change
      await tx.db
        .update(users)
        .set({
          ...same,
          ...renamed(user, { username, displayName, email }),
          passwordHash,
          updatedAt: sql`now()`,
        })
        .where(eq(users.id, user.id))
      tx.afterCommit(() => ctx.bus.publish(principalsHint, { userId: user.id }))
    }
    if (fields.length > 0) tx.emit(user.id, 'user.updated', { fields })
    if (fields.length > 0 || password) recordChange(tx, admin, user, { ...change, password })
    if (change.email !== undefined || password) {
      // These codes were sent to the earlier mailbox, or for the earlier password.
      await tx.db.delete(passwordResets).where(eq(passwordResets.userId, user.id))
    }
    if (password) await mailPasswordChanged(tx, user.id, password.language)
    if (change.isActive === false) await endSessions(tx, admin, user.id, 'account_deactivated')
    else if (password) await endSessions(tx, admin, user.id, 'password_reset')
    if (balanceMinor !== undefined) {
      const before = await adjustBalance(tx, { userId: user.id, balanceMinor, createdBy: admin.userId })
      const details = { before, after: balanceMinor }
      audit(tx, admin, { action: 'user.balance_set', target: user.id, subject: user.id, details })
    }
    return user.id
  }
  try {
    return await accountSummary(ctx, await transaction(ctx, run))
  } catch (error) {
    throw uniqueError(error)
  }
}

/** What decides over the access to an account. */
const NOTED = ['role', 'isActive', 'username', 'email'] as const

function recordChange(tx: Tx, admin: Actor, user: User, change: AccountChange): void {
  const noted = NOTED.filter((field) => change[field] !== undefined && change[field] !== user[field])
  const part = (from: AccountChange) => Object.fromEntries(noted.map((field) => [field, from[field]]))
  const details = { fields: fieldsOf(change), before: part(user), after: part(change) }
  audit(tx, admin, { action: 'user.updated', target: user.id, subject: user.id, details })
}

/**
 * Locks all super administrators, so that two of them can't demote each other at the same moment.
 * @throws AppError LAST_SUPER_ADMIN
 */
export async function assertAnotherSuperAdmin(tx: Tx, userId: number): Promise<void> {
  const admins = await tx.db
    .select({ id: users.id })
    .from(users)
    .where(and(eq(users.role, 'super_admin'), eq(users.isActive, true)))
    .orderBy(users.id)
    .for('update')
  if (!admins.some((other) => other.id !== userId)) throw new AppError('LAST_SUPER_ADMIN')
}
