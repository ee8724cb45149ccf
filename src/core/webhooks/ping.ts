import { snakeKeys } from '../../util/case.ts'
import type { Actor } from '../accounts/principals.ts'
import { auditAlone } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { enforceLimits } from '../rate-limits/rate-limits.ts'
import { type Answer, attempt } from './attempt.ts'
import { messageId } from './rows.ts'
import { getWebhook } from './webhooks.ts'

/** The type of the message that a test sends. No event has it. */
export const PING = 'webhook.ping'

const PER_MINUTE = 10

/**
 * Sends a message to a webhook at once, also to one that is switched off, and waits for the answer. It changes nothing.
 * @throws AppError NOT_FOUND, RATE_LIMITED
 */
export async function pingWebhook(
  ctx: Context,
  who: Actor,
  id: number,
): Promise<Answer & { messageId: string }> {
  const webhook = await getWebhook(ctx, who, id)
  await enforceLimits(ctx, [
    { policy: 'webhook-test', key: String(who.userId), max: PER_MINUTE, windowMs: 60_000 },
  ])
  await auditAlone(ctx, who, { action: 'webhook.tested', target: id, subject: who.userId })
  const message = {
    id: messageId(crypto.randomUUID()),
    type: PING,
    at: new Date().toISOString(),
    data: JSON.stringify(snakeKeys({ webhookId: id })),
  }
  return { messageId: message.id, ...(await attempt(ctx, webhook, message)) }
}
