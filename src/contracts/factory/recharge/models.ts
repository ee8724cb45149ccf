import { Type } from '@sinclair/typebox'
import { type Static, t } from 'elysia'
import { CODE_STATUSES } from '../../../core/recharge/rows.ts'
import { choice } from '../../../http/choice.ts'
import { nullable, optional, pageQuery, Timestamp, wholeNumber } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'

const newCode = {
  id: t.String(),
  code: t.String(),
  amount: t.Number(),
  expires_at: nullable(Timestamp),
}
export const NewRechargeCode = t.Object(newCode)
export type NewRechargeCode = Static<typeof NewRechargeCode>

/** The answer to a batch. `total_amount` is what the codes are worth when each is redeemed once. */
export const NewRechargeCodes = t.Object({
  codes: t.Array(NewRechargeCode),
  total_generated: t.Integer(),
  total_amount: t.Number(),
})

export const RechargeCode = t.Object({
  ...newCode,
  description: t.String(),
  status: choice(CODE_STATUSES),
  max_uses: t.Integer(),
  used_count: t.Integer(),
  created_at: Timestamp,
})
export type RechargeCode = Static<typeof RechargeCode>

const description = t.String({ maxLength: 500 })
// The offset is required: without it the time would be in the time zone of the server.
const expires_at = optional(t.String({ format: 'date-time', pattern: '(Z|[+-]\\d\\d:\\d\\d)$' }))

export const CodeCreation = t.Object({
  /** Of each code, with two decimals at most. */
  amount: Type.Number({ minimum: 0.01, maximum: 1_000_000 }),
  description: optional(description),
  batch_size: wholeNumber({ minimum: 1, maximum: 10_000, default: 1 }),
  expires_at,
  max_uses: wholeNumber({ minimum: 1, maximum: 1_000_000, default: 1 }),
})
export const CODE_CREATION = {
  amount: 100,
  description: '新用户充值码',
  batch_size: 10,
  expires_at: '2024-12-31T23:59:59Z',
  max_uses: 1,
}

export const CodeId = t.Object({ id: t.String() })
export const CodesQuery = t.Object({ ...pageQuery, status: t.Optional(choice(CODE_STATUSES)) })

export const CodeChange = t.Object({
  disabled: t.Optional(Type.Boolean()),
  description: t.Optional(description),
  expires_at,
})
export const CODE_CHANGE = { disabled: true }

/** Any text is taken, because a code of the wrong form is answered like every other code that cannot be redeemed. */
export const Redeeming = t.Object({ code: Type.String() })
export const REDEEMING = { code: 'OWL-ABCD-1234-EFGH' }

export const Redeemed = t.Object({
  amount: t.Number(),
  new_balance: t.Number(),
  recharge_record_id: t.String(),
})
export type Redeemed = Static<typeof Redeemed>

export const RechargeRecord = t.Object({
  id: t.String(),
  /** `OWL-****-****-XXXX` */
  code: t.String(),
  amount: t.Number(),
  created_at: Timestamp,
})
export type RechargeRecord = Static<typeof RechargeRecord>

/** A use of a code, as administrators see it. */
export const CodeUse = t.Composite([
  RechargeRecord,
  t.Object({ user: t.Object({ id: t.String(), username: t.String() }) }),
])
export type CodeUse = Static<typeof CodeUse>

named({ RechargeCode, NewRechargeCode, NewRechargeCodes, Redeemed, RechargeRecord, RechargeCodeUse: CodeUse })
