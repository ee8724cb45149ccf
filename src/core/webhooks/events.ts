export interface WebhookEvents {
  /** The server has switched the webhook off. `reason` is a code. */
  'webhook.disabled': { webhookId: number; reason: string }
}
