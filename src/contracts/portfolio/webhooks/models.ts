/** Wire models of webhooks: docs/contracts/portfolio.md, "Webhooks". */
import { type Static, t } from 'elysia'
import {
  ATTEMPT_ERRORS,
  DELIVERY_ERRORS,
  DELIVERY_STATUSES,
  DISABLED_REASONS,
} from '../../../core/webhooks/rows.ts'
import { choice } from '../../../http/choice.ts'
import { nullable, optional, Timestamp } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'
import { typed } from '../../../http/typed.ts'
import { EVENTS, type EventType } from '../../../protocol/live/events.ts'
import { pageQuery } from '../contract.ts'
import { IdText } from '../ids.ts'

const TYPES = Object.keys(EVENTS) as EventType[]
const EventTypeName = choice(TYPES)

/** The contract's document shows a secret of the user's own, of any kind. */
const secret = t.String({ minLength: 8, maxLength: 256 })

const fields = {
  url: t.String({ minLength: 1, maxLength: 2048 }),
  description: optional(t.String({ maxLength: 500, ...typed('title') })),
  events: t.Array(EventTypeName, { minItems: 1, maxItems: TYPES.length }),
  secret: t.Optional(secret),
  is_active: t.Optional(t.Boolean()),
}
export const NewWebhook = t.Object({ ...fields, secret: optional(secret) })
export const WebhookChange = t.Object({
  ...fields,
  url: t.Optional(fields.url),
  events: t.Optional(fields.events),
})
export type WebhookChange = Static<typeof WebhookChange>

/** Without a secret the server makes one. */
export const SecretRotation = t.Optional(t.Object({ secret: optional(secret) }))

const shown = {
  id: t.Integer(),
  url: t.String(),
  description: t.String(),
  events: t.Array(t.String()),
  is_active: t.Boolean(),
  /** Why the server has switched it off: `GONE`, `FAILING`, or empty. */
  disabled_reason: choice(['', ...DISABLED_REASONS]),
  /** Attempts that have failed since the last success. */
  failures: t.Integer(),
  failing_since: nullable(Timestamp),
  /** No attempt begins before, because the receiver could take no more. */
  paused_until: nullable(Timestamp),
  last_delivered_at: nullable(Timestamp),
  /** Until then the secret before the current one signs too. */
  former_secret_until: nullable(Timestamp),
  created_at: Timestamp,
  updated_at: Timestamp,
}
export const Webhook = t.Object(shown)
export type Webhook = Static<typeof Webhook>

/** The answers that show the secret: no other does. */
export const WebhookWithSecret = t.Object({ ...shown, secret: t.String() })
export type WebhookWithSecret = Static<typeof WebhookWithSecret>

export const WebhooksQuery = t.Object(pageQuery)

/** `msg_…`, as in `webhook-id`. */
const DeliveryId = t.String({ pattern: '^msg_[0-9a-f]{32}$' })
export const DeliveryPath = t.Object({ id: IdText, delivery_id: DeliveryId })

export const DeliveriesQuery = t.Object({
  ...pageQuery,
  status: t.Optional(choice(DELIVERY_STATUSES)),
  event: t.Optional(t.String({ maxLength: 100 })),
  /** Of the events' time, both included. */
  from: t.Optional(t.String({ maxLength: 40 })),
  to: t.Optional(t.String({ maxLength: 40 })),
})

const delivery = {
  id: t.String(),
  webhook_id: t.Integer(),
  event: t.String(),
  /** Of the event. */
  timestamp: Timestamp,
  status: choice(DELIVERY_STATUSES),
  /** Since the delivery was made, or was sent again at its owner's wish. */
  attempts: t.Integer(),
  /** Null when there is none any more. */
  next_attempt_at: nullable(Timestamp),
  last_attempt_at: nullable(Timestamp),
  /** HTTP status of the last answer; null when there was none. */
  response_status: nullable(t.Integer()),
  /** Why the last attempt failed; empty when it did not. */
  error: choice(['', ...DELIVERY_ERRORS]),
  duration_ms: nullable(t.Integer()),
  delivered_at: nullable(Timestamp),
  created_at: Timestamp,
}
export const WebhookDelivery = t.Object(delivery)
export type WebhookDelivery = Static<typeof WebhookDelivery>
/** `data` is that of the body; before the first attempt, that of the event. */
export const WebhookDeliveryDetail = t.Object({ ...delivery, data: t.Record(t.String(), t.Unknown()) })
export type WebhookDeliveryDetail = Static<typeof WebhookDeliveryDetail>

export const Redelivery = t.Object({
  from: t.String({ maxLength: 40 }),
  to: t.String({ maxLength: 40 }),
  status: t.Optional(choice(['failed', 'delivered'])),
  event: t.Optional(EventTypeName),
})
export type Redelivery = Static<typeof Redelivery>
export const Redelivered = t.Object({ redelivered: t.Integer() })

export const WebhookTest = t.Object({
  /** Whether the receiver has answered with a 2xx status. */
  delivered: t.Boolean(),
  message_id: t.String(),
  response_status: nullable(t.Integer()),
  error: choice(['', ...ATTEMPT_ERRORS]),
  duration_ms: t.Integer(),
})
export type WebhookTest = Static<typeof WebhookTest>

named({ Webhook, WebhookWithSecret, WebhookDelivery, WebhookDeliveryDetail, WebhookTest })
