/** The webhooks of a user. Every change holds the lock of the user's channel (`subscriptions.ts`). */
import { and, count, desc, eq, sql } from 'drizzle-orm'
import { webhookDeliveries, webhooks } from '../../db/schema/index.ts'
import type { Actor, Principal } from '../accounts/principals.ts'
import { audit, fieldsOf, SERVER } from '../audit/audit.ts'
import type { Context, Tx } from '../context.ts'
import { AppError, notFound } from '../errors.ts'
import { transaction } from '../transaction.ts'
import { assertMayReceive } from './event-types.ts'
import type { DisabledReason, Webhook } from './rows.ts'
import { checkedSecret, newSecret, rotated } from './signing.ts'
import { lockChannel, storeHooks } from './subscriptions.ts'
import { checkedTarget } from './urls.ts'

export interface NewWebhook {
  url: string
  description?: string | undefined
  /** Types of events. */
  events: string[]
  /** Undefined: the server makes one. */
  secret?: string | undefined
  isActive?: boolean | undefined
}

/**
 * Creates a webhook. Every event that commits after it is delivered.
 * @throws AppError VALIDATION_FAILED, WEBHOOK_ADDRESS_NOT_PUBLIC, EVENTS_OF_THE_SITE, TOO_MANY_WEBHOOKS
 */
export async function createWebhook(ctx: Context, who: Actor, input: NewWebhook): Promise<Webhook> {
  assertMayReceive(who.role, input.events)
  const url = checkedTarget(ctx, input.url)
  const secret = input.secret === undefined ? newSecret() : checkedSecret(input.secret)
  const limit = ctx.config.webhooksPerUser
  return transaction(ctx, async (tx) => {
    await lockChannel(tx, who.userId)
    if ((await tx.db.$count(webhooks, eq(webhooks.userId, who.userId))) >= limit)
      throw new AppError('TOO_MANY_WEBHOOKS', { params: { limit } })
    const [webhook] = await tx.db
      .insert(webhooks)
      .values({
        userId: who.userId,
        url,
        description: input.description ?? '',
        events: [...new Set(input.events)],
        secrets: [{ secret }],
        isActive: input.isActive ?? true,
      })
      .returning()
    await storeHooks(tx, who.userId)
    const { id, events } = webhook!
    audit(tx, who, {
      action: 'webhook.created',
      target: id,
      subject: who.userId,
      details: { host: hostOf(url), events },
    })
    return webhook!
  })
}

export async function listWebhooks(
  ctx: Context,
  who: Principal,
  { page, limit }: { page: number; limit: number },
): Promise<{ webhooks: Webhook[]; total: number }> {
  const mine = eq(webhooks.userId, who.userId)
  const [[total], rows] = await Promise.all([
    ctx.db.select({ n: count() }).from(webhooks).where(mine),
    ctx.db
      .select()
      .from(webhooks)
      .where(mine)
      .orderBy(desc(webhooks.id))
      .limit(limit)
      .offset((page - 1) * limit),
  ])
  return { webhooks: rows, total: total!.n }
}

export const isMine = (who: Principal, id: number) =>
  and(eq(webhooks.id, id), eq(webhooks.userId, who.userId))

/** @throws AppError NOT_FOUND, also for a webhook of another user */
export async function getWebhook(ctx: Pick<Context, 'db'>, who: Principal, id: number): Promise<Webhook> {
  const [webhook] = await ctx.db.select().from(webhooks).where(isMine(who, id))
  if (!webhook) throw notFound('webhook', id)
  return webhook
}

/**
 * Changes what the input names. Another secret takes the first place, and the one before it goes on signing for a time.
 * Deliveries that wait are not sent once the webhook is switched off.
 * @throws AppError NOT_FOUND, VALIDATION_FAILED, WEBHOOK_ADDRESS_NOT_PUBLIC, EVENTS_OF_THE_SITE
 */
export async function updateWebhook(
  ctx: Context,
  who: Actor,
  id: number,
  input: { [K in keyof NewWebhook]?: NewWebhook[K] | undefined },
): Promise<Webhook> {
  const url = input.url === undefined ? undefined : checkedTarget(ctx, input.url)
  const secret = input.secret === undefined ? undefined : checkedSecret(input.secret)
  const webhook = await transaction(ctx, async (tx) => {
    await lockChannel(tx, who.userId)
    const before = await getWebhook(tx, who, id)
    const events = input.events && [...new Set(input.events)]
    if (events) assertMayReceive(who.role, events)
    const another = url !== undefined && url !== before.url
    const switchedOn = input.isActive === true && !before.isActive
    const [after] = await tx.db
      .update(webhooks)
      .set({
        url,
        events,
        description: input.description,
        isActive: input.isActive,
        ...(secret !== undefined && { secrets: rotated(before.secrets, secret, new Date()) }),
        ...((another || switchedOn) && HEALTHY),
        updatedAt: sql`now()`,
      })
      .where(eq(webhooks.id, id))
      .returning()
    if (input.isActive === false) await dropPending(tx, id)
    await storeHooks(tx, who.userId)
    audit(tx, who, {
      action: 'webhook.updated',
      target: id,
      subject: who.userId,
      details: { fields: fieldsOf(input), ...(another && { host: hostOf(url) }) },
    })
    return after!
  })
  ctx.services.webhooks.wake()
  return webhook
}

/**
 * Gives the webhook another secret, made by the server unless the caller names one.
 * @throws AppError NOT_FOUND, VALIDATION_FAILED
 */
export async function rotateSecret(
  ctx: Context,
  who: Actor,
  id: number,
  given: string | undefined,
): Promise<Webhook> {
  const secret = given === undefined ? newSecret() : checkedSecret(given)
  return transaction(ctx, async (tx) => {
    await lockChannel(tx, who.userId)
    const { secrets } = await getWebhook(tx, who, id)
    const [webhook] = await tx.db
      .update(webhooks)
      .set({ secrets: rotated(secrets, secret, new Date()), updatedAt: sql`now()` })
      .where(eq(webhooks.id, id))
      .returning()
    audit(tx, who, { action: 'webhook.secret_rotated', target: id, subject: who.userId })
    return webhook!
  })
}

/** Deletes a webhook with its deliveries. @throws AppError NOT_FOUND */
export async function deleteWebhook(ctx: Context, who: Actor, id: number): Promise<void> {
  await transaction(ctx, async (tx) => {
    await lockChannel(tx, who.userId)
    const { url } = await getWebhook(tx, who, id)
    await tx.db.delete(webhooks).where(eq(webhooks.id, id))
    await tx.db.delete(webhookDeliveries).where(eq(webhookDeliveries.webhookId, id))
    await storeHooks(tx, who.userId)
    audit(tx, who, {
      action: 'webhook.deleted',
      target: id,
      subject: who.userId,
      details: { host: hostOf(url) },
    })
  })
}

/** Switches a webhook off and tells its owner. */
export async function disableWebhook(
  ctx: Context,
  { id, userId }: Pick<Webhook, 'id' | 'userId'>,
  reason: DisabledReason,
): Promise<void> {
  await transaction(ctx, async (tx) => {
    await lockChannel(tx, userId)
    const disabled = await tx.db
      .update(webhooks)
      .set({ isActive: false, disabledReason: reason, updatedAt: sql`now()` })
      .where(and(eq(webhooks.id, id), eq(webhooks.isActive, true)))
      .returning({ id: webhooks.id })
    if (disabled.length === 0) return
    await dropPending(tx, id)
    await storeHooks(tx, userId)
    tx.emit(userId, 'webhook.disabled', { webhookId: id, reason })
    audit(tx, SERVER, {
      action: 'webhook.updated',
      target: id,
      subject: userId,
      details: { fields: ['is_active'] },
    })
  })
}

const HEALTHY = { failures: 0, failingSince: null, pausedUntil: null, disabledReason: null } as const

/** What waits for a webhook that is switched off fails. Its owner can have it sent again later. */
async function dropPending(tx: Tx, id: number): Promise<void> {
  await tx.db
    .update(webhookDeliveries)
    .set({ status: 'failed', error: 'SWITCHED_OFF' })
    .where(and(eq(webhookDeliveries.webhookId, id), eq(webhookDeliveries.status, 'pending')))
}

const hostOf = (url: string): string => new URL(url).host
