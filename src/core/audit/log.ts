/** The rows of the audit log. They are only added: a trigger refuses everything else. */
import { sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { preparedSql } from '../../db/prepared.ts'
import type { auditLog } from '../../db/schema/index.ts'

export type StoredEntry = typeof auditLog.$inferSelect
export type NewEntry = Omit<StoredEntry, 'id' | 'at' | 'details'> & { details: object }

/** Adds the entries of one transaction in one statement, in their order. */
export async function appendEntries(db: Db, entries: NewEntry[]): Promise<void> {
  await insertEntries(db).execute({ entries: JSON.stringify(entries) })
}

const insertEntries = preparedSql(
  'insert_audit_entries',
  sql`
    insert into audit_log
      (actor_id, actor_name, action, target_type, target_id, subject_id, details, ip, user_agent, request_id)
    select (e->>'actorId')::int, e->>'actorName', e->>'action', e->>'targetType', e->>'targetId', (e->>'subjectId')::int,
      (e->'details')::jsonb, e->>'ip', e->>'userAgent', e->>'requestId'
    from json_array_elements(${sql.placeholder('entries')}::text::json) with ordinality as entries(e, n)
    order by n`,
)
