import type { Answer } from '../../../core/webhooks/attempt.ts'
import type { DeliverySummary } from '../../../core/webhooks/deliveries.ts'
import {
  type Delivery as CoreDelivery,
  type Webhook as CoreWebhook,
  messageId,
} from '../../../core/webhooks/rows.ts'
import { signingNow } from '../../../core/webhooks/signing.ts'
import type {
  Webhook,
  WebhookDelivery,
  WebhookDeliveryDetail,
  WebhookTest,
  WebhookWithSecret,
} from './models.ts'

const timeOf = (time: Date | null): string | null => time?.toISOString() ?? null

export const presentWebhook = (webhook: CoreWebhook): Webhook => ({
  id: webhook.id,
  url: webhook.url,
  description: webhook.description,
  events: webhook.events,
  is_active: webhook.isActive,
  disabled_reason: webhook.disabledReason ?? '',
  failures: webhook.failures,
  failing_since: timeOf(webhook.failingSince),
  paused_until: timeOf(webhook.pausedUntil),
  last_delivered_at: timeOf(webhook.lastDeliveredAt),
  former_secret_until: signingNow(webhook.secrets, new Date())[1]?.until ?? null,
  created_at: webhook.createdAt.toISOString(),
  updated_at: webhook.updatedAt.toISOString(),
})

export const presentWithSecret = (webhook: CoreWebhook): WebhookWithSecret => ({
  ...presentWebhook(webhook),
  secret: webhook.secrets[0]!.secret,
})

export const presentDelivery = (delivery: DeliverySummary): WebhookDelivery => ({
  id: messageId(delivery.id),
  webhook_id: delivery.webhookId,
  event: delivery.type,
  timestamp: delivery.at.toISOString(),
  status: delivery.status,
  attempts: delivery.attempts,
  next_attempt_at: delivery.status === 'pending' ? timeOf(delivery.nextAttemptAt) : null,
  last_attempt_at: timeOf(delivery.lastAttemptAt),
  response_status: delivery.responseStatus,
  error: delivery.error ?? '',
  duration_ms: delivery.durationMs,
  delivered_at: timeOf(delivery.deliveredAt),
  created_at: delivery.createdAt.toISOString(),
})

export const presentDeliveryDetail = (delivery: CoreDelivery): WebhookDeliveryDetail => ({
  ...presentDelivery(delivery),
  data: (delivery.payload ?? delivery.event) as Record<string, unknown>,
})

export const presentTest = ({
  status,
  error,
  durationMs,
  messageId: id,
}: Answer & { messageId: string }): WebhookTest => ({
  delivered: error === null,
  message_id: id,
  response_status: status,
  error: error ?? '',
  duration_ms: durationMs,
})
