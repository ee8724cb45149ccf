import { type Static, t } from 'elysia'
import { choice } from '../../../http/choice.ts'
import { nullable, optional, Timestamp } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'

export const InviteCode = t.Object({
  code: t.String(),
  status: choice(['active', 'disabled', 'expired', 'exhausted']),
  max_uses: nullable(t.Integer()),
  used_count: t.Integer(),
  expires_at: nullable(Timestamp),
  created_at: Timestamp,
})
export type InviteCode = Static<typeof InviteCode>

export const CodeOfInvite = t.Object({ code: t.String({ maxLength: 100 }) })

const limits = {
  max_uses: optional(t.Integer({ minimum: 1, maximum: 1_000_000 })),
  // The offset is required: without it the time would be in the time zone of the server.
  expires_at: optional(t.String({ format: 'date-time', pattern: '(Z|[+-]\\d\\d:\\d\\d)$' })),
}
export const NewInviteCode = t.Object(limits)
export const InviteCodeChange = t.Object({ status: t.Optional(choice(['active', 'disabled'])), ...limits })

named({ InviteCode })
