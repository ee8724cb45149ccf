/** Deletes uploads that nobody goes on with, and objects that no upload needs. */
import { inArray, sql } from 'drizzle-orm'
import { uploadSessions } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { CLEANUP_BATCH, type CleanupReport, orphansStep, runCleanup } from './cleanup.ts'
import { deleteObjectsOf, PIECES_PREFIX, sessionOfKey } from './pieces.ts'
import { KEEP_HOURS } from './sessions.ts'

/**
 * It may run at any time and on several servers at once.
 * @param hours how long nothing has happened to what it deletes
 * @returns how many uploads, and how many objects whose upload no longer exists
 */
export function expireSessions(ctx: Context, hours = KEEP_HOURS): Promise<CleanupReport> {
  const before = new Date(Date.now() - hours * 3_600_000)
  return runCleanup(ctx, [
    ['idle uploads', (report) => removeIdle(ctx, hours, report)],
    // What a server left behind that was killed, or could not delete an object.
    orphansStep(ctx, PIECES_PREFIX, before, withoutSession),
  ])
}

async function removeIdle(ctx: Context, hours: number, report: CleanupReport): Promise<void> {
  for (;;) {
    const gone = await deleteIdle(ctx, hours)
    report.records += gone.length
    for (const { id } of gone) await deleteObjectsOf(ctx, id)
    if (gone.length < CLEANUP_BATCH) return
  }
}

/** Locked rows are left out, so that cleanup does not wait for their transactions. */
const deleteIdle = (ctx: Context, hours: number): Promise<{ id: number }[]> =>
  ctx.db.execute<{ id: number }>(sql`
    delete from upload_sessions where id in (
      select id from upload_sessions session
      where updated_at < now() - make_interval(hours => ${hours}) and not exists (
        select from upload_pieces
        where session_id = session.id and stored_at >= now() - make_interval(hours => ${hours})
      )
      limit ${CLEANUP_BATCH} for update skip locked
    ) returning id`)

/** A complete upload needs its pieces no more. */
async function withoutSession(ctx: Context, keys: string[]): Promise<string[]> {
  const ids = [...new Set(keys.map(sessionOfKey))].filter(Number.isInteger)
  const rows = await ctx.db
    .select({ id: uploadSessions.id })
    .from(uploadSessions)
    .where(sql`${inArray(uploadSessions.id, ids)} and ${uploadSessions.status} <> 'completed'`)
  const used = new Set(rows.map(({ id }) => id))
  return keys.filter((key) => !used.has(sessionOfKey(key)))
}
