import { t } from 'elysia'
import type { Context } from '../../../core/context.ts'
import { getDelivery, listDeliveries, redeliver, redeliverAll } from '../../../core/webhooks/deliveries.ts'
import { pingWebhook } from '../../../core/webhooks/ping.ts'
import {
  createWebhook,
  deleteWebhook,
  getWebhook,
  listWebhooks,
  rotateSecret,
  updateWebhook,
} from '../../../core/webhooks/webhooks.ts'
import { type Body, chapter, type Params, type Query, type SignedCall } from '../../../http/chapter.ts'
import { idempotent } from '../../../http/idempotency.ts'
import { Envelope, envelope, PageEnvelope, pageEnvelope, portfolio } from '../contract.ts'
import { Id } from '../ids.ts'
import { MESSAGES } from './messages.ts'
import {
  DeliveriesQuery,
  DeliveryPath,
  NewWebhook,
  Redelivered,
  Redelivery,
  SecretRotation,
  Webhook,
  WebhookChange,
  WebhookDelivery,
  WebhookDeliveryDetail,
  WebhooksQuery,
  WebhookTest,
  WebhookWithSecret,
} from './models.ts'
import {
  presentDelivery,
  presentDeliveryDetail,
  presentTest,
  presentWebhook,
  presentWithSecret,
} from './presenters.ts'

/** `msg_` and a UUID without hyphens. */
const idOf = (deliveryId: string): string =>
  deliveryId.slice('msg_'.length).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')

const { routes, route } = chapter(portfolio, 'webhooks')

export const webhookRoutes = (ctx: Context) =>
  routes(ctx, '/webhooks')
    .get(
      '',
      list,
      route({
        auth: true,
        summary: 'List your webhooks',
        query: WebhooksQuery,
        response: PageEnvelope(t.Array(Webhook)),
      }),
    )
    .post(
      '',
      idempotent(create),
      route({
        auth: true,
        summary: 'Create a webhook; its secret is shown only this once',
        body: NewWebhook,
        example: {
          url: 'https://example.com/webhook',
          events: ['photo.created', 'photo.updated', 'photo.deleted'],
          secret: 'webhook_secret_key',
          is_active: true,
        },
        status: 201,
        sends: MESSAGES,
        response: Envelope(WebhookWithSecret),
        errors: ['WEBHOOK_ADDRESS_NOT_PUBLIC', 'TOO_MANY_WEBHOOKS', 'EVENTS_OF_THE_SITE'],
      }),
    )
    .get(
      '/:id',
      show,
      route({ auth: true, summary: 'Show a webhook', params: Id, response: Envelope(Webhook) }),
    )
    .put(
      '/:id',
      update,
      route({
        auth: true,
        summary: 'Change fields of a webhook',
        params: Id,
        body: WebhookChange,
        example: { events: ['task.completed', 'task.failed'], is_active: true },
        response: Envelope(Webhook),
        errors: ['WEBHOOK_ADDRESS_NOT_PUBLIC', 'EVENTS_OF_THE_SITE'],
      }),
    )
    .delete(
      '/:id',
      deleteOne,
      route({ auth: true, summary: 'Delete a webhook and its deliveries', params: Id, status: 204 }),
    )
    .post(
      '/:id/rotate-secret',
      rotate,
      route({
        auth: true,
        summary: 'Give a webhook another secret; the one before signs for another 24 hours',
        params: Id,
        body: SecretRotation,
        example: {},
        response: Envelope(WebhookWithSecret),
      }),
    )
    .post(
      '/:id/test',
      test,
      route({
        auth: true,
        summary: 'Send a message to a webhook now, and show what the receiver answers',
        params: Id,
        response: Envelope(WebhookTest),
        errors: ['RATE_LIMITED'],
      }),
    )
    .get(
      '/:id/deliveries',
      listAll,
      route({
        auth: true,
        summary: 'List what was sent to a webhook',
        params: Id,
        query: DeliveriesQuery,
        response: PageEnvelope(t.Array(WebhookDelivery)),
        errors: ['INVALID_RANGE'],
      }),
    )
    .get(
      '/:id/deliveries/:delivery_id',
      showDelivery,
      route({
        auth: true,
        summary: 'Show a delivery with its data',
        params: DeliveryPath,
        response: Envelope(WebhookDeliveryDetail),
      }),
    )
    .post(
      '/:id/deliveries/:delivery_id/redeliver',
      redeliverOne,
      route({
        auth: true,
        summary: 'Send a delivery again',
        params: DeliveryPath,
        response: Envelope(WebhookDelivery),
        errors: ['WEBHOOK_INACTIVE', 'EVENTS_OF_THE_SITE'],
      }),
    )
    .post(
      '/:id/redeliver',
      redeliverMany,
      route({
        auth: true,
        summary: 'Send the deliveries of a time again; without a status, those that failed',
        params: Id,
        body: Redelivery,
        example: { from: '2024-01-15T00:00:00Z', to: '2024-01-16T00:00:00Z', status: 'failed' },
        response: Envelope(Redelivered),
        errors: ['WEBHOOK_INACTIVE', 'INVALID_RANGE'],
      }),
    )

async function list({ ctx, principal, query, request }: SignedCall & Query<typeof WebhooksQuery>) {
  const { webhooks, total } = await listWebhooks(ctx, principal, query)
  return pageEnvelope(request, webhooks.map(presentWebhook), total, query)
}

async function create({ ctx, principal, body, request }: SignedCall & Body<typeof NewWebhook>) {
  const webhook = await createWebhook(ctx, principal, {
    url: body.url,
    description: body.description ?? undefined,
    events: body.events,
    secret: body.secret ?? undefined,
    isActive: body.is_active,
  })
  return envelope(request, presentWithSecret(webhook), 201)
}

async function show({ ctx, principal, params, request }: SignedCall & Params<typeof Id>) {
  return envelope(request, presentWebhook(await getWebhook(ctx, principal, params.id)))
}

async function update({
  ctx,
  principal,
  params,
  body,
  request,
}: SignedCall & Params<typeof Id> & Body<typeof WebhookChange>) {
  const webhook = await updateWebhook(ctx, principal, params.id, {
    url: body.url,
    description: body.description === null ? '' : body.description,
    events: body.events,
    secret: body.secret,
    isActive: body.is_active,
  })
  return envelope(request, presentWebhook(webhook))
}

async function deleteOne({ ctx, principal, params }: SignedCall & Params<typeof Id>) {
  await deleteWebhook(ctx, principal, params.id)
}

async function rotate({
  ctx,
  principal,
  params,
  body,
  request,
}: SignedCall & Params<typeof Id> & Body<typeof SecretRotation>) {
  const webhook = await rotateSecret(ctx, principal, params.id, body?.secret ?? undefined)
  return envelope(request, presentWithSecret(webhook))
}

async function test({ ctx, principal, params, request }: SignedCall & Params<typeof Id>) {
  return envelope(request, presentTest(await pingWebhook(ctx, principal, params.id)))
}

async function listAll({
  ctx,
  principal,
  params,
  query,
  request,
}: SignedCall & Params<typeof Id> & Query<typeof DeliveriesQuery>) {
  const { event: type, ...rest } = query
  const { deliveries, total } = await listDeliveries(ctx, principal, params.id, { ...rest, type })
  return pageEnvelope(request, deliveries.map(presentDelivery), total, query)
}

async function showDelivery({ ctx, principal, params, request }: SignedCall & Params<typeof DeliveryPath>) {
  const delivery = await getDelivery(ctx, principal, params.id, idOf(params.delivery_id))
  return envelope(request, presentDeliveryDetail(delivery))
}

async function redeliverOne({ ctx, principal, params, request }: SignedCall & Params<typeof DeliveryPath>) {
  const delivery = await redeliver(ctx, principal, params.id, idOf(params.delivery_id))
  return envelope(request, presentDelivery(delivery))
}

async function redeliverMany({
  ctx,
  principal,
  params,
  body,
  request,
}: SignedCall & Params<typeof Id> & Body<typeof Redelivery>) {
  const { from, to, status = 'failed', event: type } = body
  const filter = { from, to, status, type }
  return envelope(request, { redelivered: await redeliverAll(ctx, principal, params.id, filter) })
}
