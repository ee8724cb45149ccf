/** The record of each backup that this installation makes. */
import { and, eq, inArray, isNull, ne, type SQL, sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { backups, users } from '../../db/schema/index.ts'
import { mayAll, ROLES } from '../accounts/permissions.ts'
import { audit, SERVER } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { transaction } from '../transaction.ts'

/** A backup that has ended without a word loses its lease after this time. */
const LEASE_SECONDS = 60
/** How often a running backup renews its lease. */
export const RENEW_MS = 15_000

export interface BackupEnd {
  /** Bytes; null when it failed. */
  size: number | null
  /** Why it failed, or what a complete backup lacks. */
  error: string | null
}

export const LEASE_LOST =
  'The backup did not renew its lease in time, so files may have been deleted meanwhile. Start it again.'

const leasedUntil = sql`now() + make_interval(secs => ${LEASE_SECONDS})`
const isRunning = (id: number): SQL => and(eq(backups.id, id), eq(backups.status, 'running'))!

/** @returns the id of a backup that begins now */
export async function beginBackup(db: Db, fileName: string): Promise<number> {
  const [row] = await db
    .insert(backups)
    .values({ status: 'running', fileName, leasedUntil })
    .returning({ id: backups.id })
  return row!.id
}

/** @returns false when the backup was given up, because it did not renew its lease in time */
export async function renewBackup(db: Db, id: number): Promise<boolean> {
  const rows = await db
    .update(backups)
    .set({ leasedUntil })
    .where(and(isRunning(id), sql`${backups.leasedUntil} > now()`))
    .returning({ id: backups.id })
  return rows.length > 0
}

export async function endBackup(db: Db, id: number, { size, error }: BackupEnd): Promise<void> {
  const status = size === null ? 'failed' : 'completed'
  await db.update(backups).set({ status, size, error, endedAt: sql`now()` }).where(isRunning(id))
}

/** Records a backup that failed before its program could record anything. */
export async function recordFailure(ctx: Context, fileName: string, error: string): Promise<void> {
  const [known] = await ctx.db.select({ id: backups.id }).from(backups).where(eq(backups.fileName, fileName))
  if (known) return
  await ctx.db
    .insert(backups)
    .values({ status: 'failed', fileName, error, leasedUntil: sql`now()`, endedAt: sql`now()` })
}

const INTERRUPTED = 'The backup was interrupted.'
const TOLD_ROLES = ROLES.filter((role) => mayAll(role, 'system'))

/**
 * Gives up backups without a lease, and tells the administrators of all that have ended. The program that makes a backup has no
 * channel, so a server does it.
 * @returns how many backups it told of
 */
export async function announceBackups(ctx: Context): Promise<number> {
  // Most runs find none, and need no transaction.
  const [due] = await ctx.db.execute(
    sql`select from backups where announced_at is null and (status <> 'running' or leased_until < now()) limit 1`,
  )
  if (!due) return 0
  const told = await transaction(ctx, async (tx) => {
    await tx.db
      .update(backups)
      .set({ status: 'failed', error: INTERRUPTED, endedAt: sql`now()` })
      .where(and(eq(backups.status, 'running'), sql`${backups.leasedUntil} < now()`))
    const ended = await tx.db
      .update(backups)
      .set({ announcedAt: sql`now()` })
      .where(and(ne(backups.status, 'running'), isNull(backups.announcedAt)))
      .returning()
    if (ended.length === 0) return []
    const administrators = await tx.db
      .select({ id: users.id })
      .from(users)
      // The first condition is that of the index.
      .where(and(ne(users.role, 'user'), inArray(users.role, TOLD_ROLES), eq(users.isActive, true)))
    for (const backup of ended.sort((a, b) => a.id - b.id)) {
      const { id: backupId, fileName, size, startedAt, error } = backup
      const status = backup.status as 'completed' | 'failed'
      const data = { backupId, status, fileName, size, startedAt, endedAt: backup.endedAt!, error }
      for (const { id } of administrators) tx.emit(id, 'system.backup', data)
      const target = backupId
      if (size === null) audit(tx, SERVER, { action: 'backup.failed', target, details: { fileName } })
      else audit(tx, SERVER, { action: 'backup.created', target, details: { fileName, size } })
    }
    return ended
  })
  for (const { fileName, size, error, status } of told) {
    const level = status === 'failed' ? 'error' : error ? 'warn' : 'info'
    ctx.log[level]({ fileName, size, error }, status === 'failed' ? 'a backup failed' : 'a backup was made')
  }
  return told.length
}
