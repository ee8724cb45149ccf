import { type Static, t } from 'elysia'
import { Day } from '../../../http/days.ts'
import { integerText } from '../../../http/integer-text.ts'
import { nullable, Timestamp } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'
import { pageQuery } from '../contract.ts'
import { IdText } from '../ids.ts'

export const AuditQuery = t.Object({
  ...pageQuery,
  /** Entries by this user, or about this user or their data. */
  user_id: t.Optional(IdText),
  /** Such as `photo.deleted`; without a verb all actions of a noun, such as `photo`. */
  action: t.Optional(t.String({ pattern: '^[a-z_]+(\\.[a-z_]+)?$', maxLength: 100 })),
  target_type: t.Optional(t.String({ pattern: '^[a-z_]+$', maxLength: 50 })),
  target_id: t.Optional(t.String({ minLength: 1, maxLength: 100 })),
  request_id: t.Optional(t.String({ minLength: 1, maxLength: 100 })),
  /** In UTC, both inclusive. */
  date_from: t.Optional(Day),
  date_to: t.Optional(Day),
  search: t.Optional(t.String({ maxLength: 100 })),
  /** Only entries with a lower id. */
  before_id: t.Optional(integerText({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
})

export const AuditEntry = t.Object({
  id: t.Integer(),
  created_at: Timestamp,
  /** Null when nobody was signed in, or the server itself acted. The name is that of then. */
  actor: nullable(t.Object({ id: t.Integer(), username: t.String() })),
  action: t.String(),
  target: nullable(t.Object({ type: t.String(), id: t.String() })),
  /** The user to whom the target belongs, or who is the target. */
  subject_id: nullable(t.Integer()),
  details: t.Record(t.String(), t.Any()),
  ip: t.String(),
  user_agent: t.String(),
  request_id: t.String(),
})
export type AuditEntry = Static<typeof AuditEntry>

named({ AuditEntry })
