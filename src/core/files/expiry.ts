/** Deletes uploads that nobody goes on with, and objects that no upload needs. */
import { inArray, sql } from 'drizzle-orm'
import { uploadSessions } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { deleteObjectsOf, PIECES_PREFIX, sessionOfKey } from './pieces.ts'
import { KEEP_HOURS } from './sessions.ts'

export interface ExpiryReport {
  uploads: number
  /** Objects whose upload no longer exists. */
  files: number
}

const BATCH = 200

/**
 * It may run at any time and on several servers at once.
 * @param hours how long nothing has happened to what it deletes
 */
export async function expireSessions(ctx: Context, hours = KEEP_HOURS): Promise<ExpiryReport> {
  let uploads = 0
  for (;;) {
    const gone = await deleteIdle(ctx, hours)
    uploads += gone.length
    for (const { id } of gone) await deleteObjectsOf(ctx, id)
    if (gone.length < BATCH) break
  }
  return { uploads, files: await deleteOrphans(ctx, hours) }
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
      limit ${BATCH} for update skip locked
    ) returning id`)

/** What a server left behind that was killed, or could not delete an object. */
async function deleteOrphans(ctx: Context, hours: number): Promise<number> {
  const before = Date.now() - hours * 3_600_000
  let files = 0
  let batch: string[] = []
  const flush = async () => {
    const orphans = await withoutSession(ctx, batch)
    batch = []
    await ctx.storage.delete(orphans)
    files += orphans.length
  }
  for await (const { key, lastModified } of ctx.storage.list(PIECES_PREFIX)) {
    if (lastModified.getTime() >= before) continue
    batch.push(key)
    if (batch.length === BATCH) await flush()
  }
  if (batch.length > 0) await flush()
  return files
}

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
