import type { WebhookEvents } from '../../core/webhooks/events.ts'
import type { EventPresenters } from './presenters.ts'

export const webhookEvents: EventPresenters<WebhookEvents> = {
  'webhook.disabled': ({ webhookId, reason }) => ({ webhook_id: webhookId, reason }),
}
