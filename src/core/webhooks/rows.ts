import type { webhookDeliveries, webhooks } from '../../db/schema/index.ts'
import type { ATTEMPT_ERRORS, DELIVERY_ERRORS, DISABLED_REASONS } from '../../db/schema/webhooks.ts'

export type { WebhookSecret } from '../../db/schema/webhooks.ts'
export { ATTEMPT_ERRORS, DELIVERY_ERRORS, DISABLED_REASONS } from '../../db/schema/webhooks.ts'

export type AttemptError = (typeof ATTEMPT_ERRORS)[number]
export type DeliveryError = (typeof DELIVERY_ERRORS)[number]
export type DisabledReason = (typeof DISABLED_REASONS)[number]

export type Webhook = typeof webhooks.$inferSelect
export type Delivery = typeof webhookDeliveries.$inferSelect

export const DELIVERY_STATUSES = ['pending', 'delivered', 'failed'] as const
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number]

/** Deliveries of one webhook that may wait. Of more, the oldest fail. */
export const MAX_PENDING = 10_000

/** `webhook-id` of a delivery, by which clients name it too. */
export const messageId = (deliveryId: string): string => `msg_${deliveryId.replaceAll('-', '')}`
