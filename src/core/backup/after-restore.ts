/** What the rows of a backup are not true of any more, once they are in another database. */
import { sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { restoredJobs } from '../../db/schema/index.ts'
import type { JobHandle } from '../../jobs/job.ts'
import { auditAlone, SERVER } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { exposureHandle } from '../photo-files/job-handles.ts'
import { transaction } from '../transaction.ts'

/** Files whose copies one job makes. */
const EXPOSED_AT_ONCE = 100

/**
 * Corrects restored rows, in the transaction that restores them, and records the restore.
 * @param options.keepSessions otherwise everybody has to sign in again: a session that was ended after the backup must not come
 * back
 */
export async function settleRestored(
  db: Db,
  { keepSessions, fileName }: { keepSessions: boolean; fileName: string },
): Promise<void> {
  await auditAlone({ db }, SERVER, { action: 'backup.restored', details: { fileName } })
  const epoch = Bun.randomUUIDv7().replaceAll('-', '')
  await db.execute(sql`
    insert into settings (key, value) values ('epoch', to_jsonb(${epoch}::text))
    on conflict (key) do update set value = excluded.value`)
  // The backup itself was running when it read its own row.
  await db.execute(sql`delete from backups where status = 'running'`)
  if (!keepSessions) {
    await db.execute(sql`delete from refresh_tokens`)
    await db.execute(sql`update sessions set revoked_at = now() where revoked_at is null`)
  }
  // Bytes that were still arriving are not in the archive. The next cleanup ends these uploads, and tells their owners.
  await db.execute(sql`update photo_files set updated_at = 'epoch' where status = 'receiving'`)
  await db.execute(sql`update materials set updated_at = 'epoch' where status = 'processing'`)
  await db.execute(sql`delete from upload_sessions where status <> 'completed'`)
  await db.execute(sql`delete from upload_pieces`)
  // Neither are the public copies of renditions, and the new storage may be another kind.
  await db.execute(sql`update photo_files set exposed = false where exposed`)
  await db.execute(sql`
    insert into restored_jobs (queue, payload)
    select ${exposureHandle.name}::text, jsonb_build_object('fileIds', jsonb_agg(id order by id))
    from (
      select file.id, (row_number() over (order by file.id) - 1) / ${EXPOSED_AT_ONCE}::int as part
      from photo_files file join photos photo on photo.file_id = file.id
      where photo.status = 'published' and photo.visibility = 'public'
    ) files group by part order by part`)
}

/** Stores jobs that waited in the database of the backup, as JSON (`WAITING_JOBS`), until a server starts. */
export async function keepJobs(db: Db, jobs: string): Promise<void> {
  await db.execute(sql`
    insert into restored_jobs (queue, payload, singleton_key, turn, priority, start_after)
    select queue, payload, key, turn, priority, start_after
    from json_to_recordset(${jobs}::text::json)
      as job (queue text, payload jsonb, key text, turn text, priority int, start_after timestamptz)`)
}

const BATCH = 100

/**
 * Hands the jobs of a restored backup to the queue. Every start calls it, and nearly always there are none.
 * @param handles those that this version has; jobs of others are dropped
 */
export async function enqueueRestored(ctx: Context, handles: readonly JobHandle[]): Promise<void> {
  for (let moved = BATCH; moved === BATCH; ) {
    moved = await transaction(ctx, async (tx) => {
      const jobs = await tx.db
        .delete(restoredJobs)
        .where(sql`id in (select id from restored_jobs order by id limit ${BATCH} for update skip locked)`)
        .returning()
      for (const { queue, payload, singletonKey, turn, priority, startAfter } of jobs) {
        const handle = handles.find(({ name }) => name === queue)
        if (!handle) continue
        await tx.queue.enqueue(tx, handle, payload as object, {
          priority,
          ...(singletonKey !== null && { singletonKey }),
          ...(turn !== null && { turn }),
          ...(startAfter && { startAfter }),
        })
      }
      return jobs.length
    })
  }
}
