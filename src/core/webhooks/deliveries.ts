/** What was sent to a webhook, and sending it again. */
import { and, count, desc, eq, getTableColumns, gte, inArray, lte, type SQL, sql } from 'drizzle-orm'
import { webhookDeliveries, webhooks } from '../../db/schema/index.ts'
import { UUID } from '../../util/ids.ts'
import type { Actor, Principal } from '../accounts/principals.ts'
import { type Bound, readBound } from '../agenda/times.ts'
import { audit } from '../audit/audit.ts'
import type { Context, Tx } from '../context.ts'
import { AppError, notFound, readTogether } from '../errors.ts'
import { transaction } from '../transaction.ts'
import { assertMayReceive, mayReceive } from './event-types.ts'
import { type Delivery, type DeliveryStatus, MAX_PENDING, messageId } from './rows.ts'
import { getWebhook, isMine } from './webhooks.ts'

export interface DeliveryFilter {
  status?: DeliveryStatus | undefined
  type?: string | undefined
  /** Times of events, or days in UTC, both included. */
  from?: string | undefined
  to?: string | undefined
}

const d = webhookDeliveries

/** @throws AppError VALIDATION_FAILED, INVALID_RANGE */
function matching(webhookId: number, { status, type, from, to }: DeliveryFilter): SQL | undefined {
  const [first, last] = readTogether(
    () => (from === undefined ? undefined : readBound('from', from, 'UTC').first),
    () => (to === undefined ? undefined : lastOf(readBound('to', to, 'UTC'))),
  )
  if (first && last && last < first) throw new AppError('INVALID_RANGE')
  return and(
    eq(d.webhookId, webhookId),
    status && eq(d.status, status),
    type === undefined ? undefined : eq(d.type, type),
    first && gte(d.at, first),
    last && lte(d.at, last),
  )
}

/** `end` is the first moment after a day. */
const lastOf = ({ first, end }: Bound): Date => (first < end ? new Date(end.getTime() - 1) : end)

export type DeliverySummary = Omit<Delivery, 'event' | 'payload'>

const { event: _event, payload: _payload, ...summary } = getTableColumns(d)

/** The deliveries of a webhook, the newest first. @throws AppError NOT_FOUND, VALIDATION_FAILED, INVALID_RANGE */
export async function listDeliveries(
  ctx: Context,
  who: Principal,
  webhookId: number,
  filter: DeliveryFilter & { page: number; limit: number },
): Promise<{ deliveries: DeliverySummary[]; total: number }> {
  await getWebhook(ctx, who, webhookId)
  const where = matching(webhookId, filter)
  const [[total], deliveries] = await Promise.all([
    ctx.db.select({ n: count() }).from(d).where(where),
    ctx.db
      .select(summary)
      .from(d)
      .where(where)
      .orderBy(desc(d.createdAt), desc(d.id))
      .limit(filter.limit)
      .offset((filter.page - 1) * filter.limit),
  ])
  return { deliveries, total: total!.n }
}

/** @throws AppError NOT_FOUND */
export async function getDelivery(
  ctx: Pick<Context, 'db'>,
  who: Principal,
  webhookId: number,
  id: string,
): Promise<Delivery> {
  await getWebhook(ctx, who, webhookId)
  const known = UUID.test(id) ? eq(d.id, id) : sql`false`
  const [delivery] = await ctx.db
    .select()
    .from(d)
    .where(and(known, eq(d.webhookId, webhookId)))
  if (!delivery) throw notFound('webhook_delivery', messageId(id))
  return delivery
}

/** Makes a delivery due now, as if no attempt had been made. Its id and its data stay. */
const DUE_AGAIN = {
  status: 'pending',
  attempts: 0,
  nextAttemptAt: sql`now()`,
  deliveredAt: null,
  error: null,
  responseStatus: null,
} as const

/**
 * Sends one delivery again, whatever became of it.
 * @throws AppError NOT_FOUND, WEBHOOK_INACTIVE, EVENTS_OF_THE_SITE
 */
export async function redeliver(
  ctx: Context,
  who: Actor,
  webhookId: number,
  id: string,
): Promise<DeliverySummary> {
  const again = await transaction(ctx, async (tx) => {
    await assertActive(tx, who, webhookId)
    const { type } = await getDelivery(tx, who, webhookId, id)
    assertMayReceive(who.role, [type])
    const [row] = await tx.db.update(d).set(DUE_AGAIN).where(eq(d.id, id)).returning(summary)
    if (!row) throw notFound('webhook_delivery', messageId(id))
    audit(tx, who, {
      action: 'webhook.redelivered',
      target: webhookId,
      subject: who.userId,
      details: { deliveries: 1 },
    })
    return row
  })
  ctx.services.webhooks.wake()
  return again
}

/**
 * Sends the deliveries of events within a time again, the oldest first, and no more than may wait.
 * @returns how many
 * @throws AppError NOT_FOUND, WEBHOOK_INACTIVE, VALIDATION_FAILED, INVALID_RANGE
 */
export async function redeliverAll(
  ctx: Context,
  who: Actor,
  webhookId: number,
  filter: DeliveryFilter & { from: string; to: string; status: 'failed' | 'delivered' },
): Promise<number> {
  const count = await transaction(ctx, async (tx) => {
    await assertActive(tx, who, webhookId)
    const where = matching(webhookId, filter)
    const types = await tx.db.selectDistinct({ type: d.type }).from(d).where(where)
    const permitted = types.flatMap(({ type }) => (mayReceive(who.role, type) ? type : []))
    if (permitted.length === 0) return 0
    const waiting = await tx.db.$count(d, and(eq(d.webhookId, webhookId), eq(d.status, 'pending')))
    const some = tx.db
      .select({ id: d.id })
      .from(d)
      .where(and(where, inArray(d.type, permitted)))
      .orderBy(d.at, d.id)
      .limit(Math.max(0, MAX_PENDING - waiting))
      .for('update')
    const rows = await tx.db.update(d).set(DUE_AGAIN).where(inArray(d.id, some)).returning({ id: d.id })
    audit(tx, who, {
      action: 'webhook.redelivered',
      target: webhookId,
      subject: who.userId,
      details: { deliveries: rows.length },
    })
    return rows.length
  })
  ctx.services.webhooks.wake()
  return count
}

/** Until the end of the transaction nobody switches the webhook off. */
async function assertActive(tx: Tx, who: Principal, webhookId: number): Promise<void> {
  const [webhook] = await tx.db
    .select({ isActive: webhooks.isActive })
    .from(webhooks)
    .where(isMine(who, webhookId))
    .for('share')
  if (!webhook) throw notFound('webhook', webhookId)
  if (!webhook.isActive) throw new AppError('WEBHOOK_INACTIVE')
}
