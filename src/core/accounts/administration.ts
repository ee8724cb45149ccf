/** What administrators see and change of accounts, and the statistics of one user. */

import { and, count, desc, eq, like, or, type SQL, sql } from 'drizzle-orm'
import { prepared } from '../../db/prepared.ts'
import { tasks, users } from '../../db/schema/index.ts'
import { foldCase } from '../../util/fold.ts'
import { readId } from '../../util/ids.ts'
import type { Context, Tx } from '../context.ts'
import { AppError, notFound } from '../errors.ts'
import { adjustBalance } from '../money/ledger.ts'
import { transaction } from '../transaction.ts'
import { changedFields } from './accounts.ts'
import { principalsHint } from './hints.ts'
import { outranks, permissionDenied, type Role } from './permissions.ts'
import type { Principal } from './principals.ts'
import type { User } from './rows.ts'

export interface AccountSummary {
  user: User
  totalTasks: number
}

// Written as SQL, because Drizzle omits the table's name in a select from one table: `user_id = id` would compare two
// columns of `tasks`.
const totalTasks = sql<number>`(select count(*)::int from ${tasks} t where t.user_id = ${users}.id)`

const summaryById = prepared((db) =>
  db
    .select({ user: users, totalTasks })
    .from(users)
    .where(eq(users.id, sql.placeholder('id')))
    .prepare('account_summary_by_id'),
)

/** @throws AppError NOT_FOUND */
export async function accountSummary(ctx: Context, userId: number): Promise<AccountSummary> {
  const [row] = await summaryById(ctx.db).execute({ id: userId })
  if (!row) throw notFound('user', userId)
  return row
}

export interface UserStatistics {
  totalTasks: number
  completedTasks: number
  failedTasks: number
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
      totalCostMinor: sql<number>`coalesce(sum(${tasks.costMinor}), 0)::float8`,
      balanceMinor: users.balanceMinor,
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
}

export async function listAccounts(
  ctx: Context,
  filter: AccountFilter,
): Promise<{ accounts: AccountSummary[]; total: number }> {
  const pattern = filter.search && `%${foldCase(filter.search).replace(/[\\%_]/g, '\\$&')}%`
  const where = and(
    filter.role && eq(users.role, filter.role),
    filter.isActive === undefined ? undefined : eq(users.isActive, filter.isActive),
    pattern ? or(like(users.searchKey, pattern), like(users.emailKey, pattern)) : undefined,
  )
  const [[total], accounts] = await Promise.all([
    ctx.db.select({ n: count() }).from(users).where(where),
    ctx.db
      .select({ user: users, totalTasks })
      .from(users)
      .where(where)
      .orderBy(desc(users.id))
      .limit(filter.pageSize)
      .offset((filter.page - 1) * filter.pageSize),
  ])
  return { accounts, total: total!.n }
}

/** The condition for the user with this id, which a path names. */
function userKey(id: string): SQL {
  const key = readId(id)
  if (key === undefined) return sql`false`
  return typeof key === 'number' ? eq(users.id, key) : eq(users.uuid, key)
}

export interface AccountChange {
  role?: Role | undefined
  isActive?: boolean | undefined
  balanceMinor?: number | undefined
}

/**
 * Changes an account. An administrator can't change a user with a higher role, or grant a higher role than their own,
 * and the last active super administrator can't be demoted or deactivated.
 * @throws AppError NOT_FOUND, PERMISSION_DENIED, LAST_SUPER_ADMIN
 */
export async function updateAccount(
  ctx: Context,
  admin: Principal,
  id: string,
  change: AccountChange,
): Promise<AccountSummary> {
  const userId = await transaction(ctx, async (tx) => {
    const [user] = await tx.db.select().from(users).where(userKey(id)).for('update')
    if (!user) throw notFound('user', id)
    if (!outranks(admin.role, user.role) || (change.role && !outranks(admin.role, change.role))) {
      throw permissionDenied('user.update', admin.role)
    }
    const loses = (change.role && change.role !== 'super_admin') || change.isActive === false
    if (user.role === 'super_admin' && user.isActive && loses) await assertAnotherSuperAdmin(tx, user.id)
    const fields: Partial<User> = {}
    if (change.role) fields.role = change.role
    if (change.isActive !== undefined) fields.isActive = change.isActive
    if (Object.keys(fields).length > 0) {
      await tx.db
        .update(users)
        .set({ ...fields, updatedAt: sql`now()` })
        .where(eq(users.id, user.id))
      tx.emit(user.id, 'user.updated', { fields: changedFields(fields) })
      tx.afterCommit(() => ctx.bus.publish(principalsHint, { userId: user.id }))
    }
    if (change.balanceMinor !== undefined) {
      await adjustBalance(tx, { userId: user.id, balanceMinor: change.balanceMinor, createdBy: admin.userId })
    }
    return user.id
  })
  return accountSummary(ctx, userId)
}

/** Locks all super administrators, so that two of them can't demote each other at the same moment. */
async function assertAnotherSuperAdmin(tx: Tx, userId: number): Promise<void> {
  const admins = await tx.db
    .select({ id: users.id })
    .from(users)
    .where(and(eq(users.role, 'super_admin'), eq(users.isActive, true)))
    .orderBy(users.id)
    .for('update')
  if (!admins.some((other) => other.id !== userId)) throw new AppError('LAST_SUPER_ADMIN')
}
