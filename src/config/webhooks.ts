import type { EnvReader } from './env.ts'

export interface WebhooksConfig {
  /** Whether outgoing requests to URLs of users may go to private addresses. */
  allowPrivateEgress: boolean
  /** How many webhooks one user may have. */
  webhooksPerUser: number
  /** How long a receiver may take to answer. */
  webhookTimeoutSeconds: number
}

export const readWebhooks = (env: EnvReader): WebhooksConfig => ({
  allowPrivateEgress: env.oneOf('ALLOW_PRIVATE_EGRESS', ['0', '1'], '0') === '1',
  webhooksPerUser: env.integer('WEBHOOKS_PER_USER', 20, 1, 1000),
  webhookTimeoutSeconds: env.integer('WEBHOOK_TIMEOUT_SECONDS', 15, 1, 30),
})
