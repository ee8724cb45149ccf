import { bigserial, index, integer, jsonb, pgTable, text } from 'drizzle-orm/pg-core'
import { instant } from './columns.ts'

/**
 * Who did what to which. Triggers refuse to change an entry, and to delete one by any other way than `trim_audit_log` (migration
 * 0014). No column is a foreign key, because an entry stays when the account or the thing is gone.
 */
export const auditLog = pgTable(
  'audit_log',
  {
    id: bigserial('id', { mode: 'number' }).primaryKey(),
    at: instant('at').notNull().defaultNow(),
    /** Null when nobody was signed in: a failed sign-in, or the server itself. */
    actorId: integer('actor_id'),
    /** The username at that time. */
    actorName: text('actor_name'),
    /** Noun and verb, such as `user.updated`. */
    action: text('action').notNull(),
    targetType: text('target_type'),
    targetId: text('target_id'),
    /** The user to whom the target belongs, or who is the target. */
    subjectId: integer('subject_id'),
    /** What changed; secrets are masked. */
    details: jsonb('details').notNull().default({}),
    ip: text('ip'),
    userAgent: text('user_agent'),
    requestId: text('request_id'),
  },
  (t) => [
    // Entries lie in the order of time, so the smallest kind of index finds a day.
    index('audit_log_at_idx').using('brin', t.at),
    index('audit_log_actor_idx').on(t.actorId, t.id),
    index('audit_log_subject_idx').on(t.subjectId, t.id),
    index('audit_log_target_idx').on(t.targetType, t.targetId, t.id),
    index('audit_log_action_idx').on(t.action, t.id),
    index('audit_log_request_idx').on(t.requestId),
  ],
)
