/** What becomes of deliveries when receivers fail, are slow, or want no more. */
import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import { attempt } from '../../../src/core/webhooks/attempt.ts'
import { limitBacklogs, trimDeliveries } from '../../../src/core/webhooks/cleanup.ts'
import { WebhookDispatcher } from '../../../src/core/webhooks/dispatcher.ts'
import type { PresentPayloads } from '../../../src/core/webhooks/payloads.ts'
import { createWebhook } from '../../../src/core/webhooks/webhooks.ts'
import { webhookDeliveries, webhooks } from '../../../src/db/schema/index.ts'
import { actorOf } from '../../support/actors.ts'
import { makeTask, makeUser, type TestUser } from '../../support/factories.ts'
import { Receiver } from '../../support/receiver.ts'
import { query, startServer } from '../../support/server.ts'
import { openLive } from '../../support/sockets.ts'

const server = await startServer({ ALLOW_PRIVATE_EGRESS: '1', WEBHOOK_TIMEOUT_SECONDS: '1' })
const receiver = new Receiver()
afterAll(async () => {
  await server.stop()
  await receiver.stop()
})
const { ctx } = server

let user: TestUser
beforeEach(async () => {
  // What failed in an earlier test would come again in this one.
  await query(server, sql`delete from webhook_deliveries`)
  user = await makeUser(server)
  receiver.received.length = 0
  receiver.answer = () => new Response('ok')
})

const make = async (url = receiver.url, owner = user) =>
  (await createWebhook(ctx, actorOf(owner), { url, events: ['task.created'] })).id

async function until<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await read()
    if (holds(value)) return value
    await Bun.sleep(10)
  }
}
const stored = (id: number) =>
  ctx.db
    .select()
    .from(webhookDeliveries)
    .where(eq(webhookDeliveries.webhookId, id))
    .orderBy(webhookDeliveries.at)
const webhookOf = async (id: number) => (await ctx.db.select().from(webhooks).where(eq(webhooks.id, id)))[0]!
/** The deliveries of a webhook once all have been tried. */
const tried = (id: number, count = 1) =>
  until(
    () => stored(id),
    (rows) => rows.length >= count && rows.every(({ durationMs }) => durationMs !== null),
  )
const makeDue = async (id: number) => {
  await query(
    server,
    sql`update webhook_deliveries set next_attempt_at = now() where webhook_id = ${id} and status = 'pending'`,
  )
  ctx.services.webhooks.wake()
}

/** Makes deliveries that the server's own dispatcher does not find, so that a test's dispatcher does. */
async function hiddenFromServer(id: number, makeThem: () => Promise<unknown>): Promise<void> {
  await query(server, sql`update webhooks set paused_until = now() + interval '1 hour' where id = ${id}`)
  await makeThem()
  const first = ctx.services.webhooks as unknown as { timer: Timer; loop: Promise<void> | undefined }
  clearInterval(first.timer)
  while (first.loop) await first.loop
  await query(server, sql`update webhooks set paused_until = null where id = ${id}`)
}

test('a failure comes again, with the same id and body and another time', async () => {
  receiver.answer = (_, nth) => new Response(null, { status: nth === 1 ? 500 : 200 })
  const id = await make()
  await makeTask(server, user)
  const [failed] = await tried(id)
  expect(failed).toMatchObject({ status: 'pending', attempts: 1, responseStatus: 500, error: 'BAD_STATUS' })
  const webhook = await until(
    () => webhookOf(id),
    ({ failures }) => failures === 1,
  )
  expect(webhook.failingSince).toBeInstanceOf(Date)
  await makeDue(id)
  const [first, second] = await receiver.wait(2)
  expect(second!.headers['webhook-id']).toBe(first!.headers['webhook-id']!)
  expect(second!.text).toBe(first!.text)
  const healthy = await until(
    () => webhookOf(id),
    ({ failures }) => failures === 0,
  )
  expect(healthy).toMatchObject({ failingSince: null, lastDeliveredAt: expect.any(Date) })
})

test('a redirect is a failure, and is not followed', async () => {
  receiver.answer = () => Response.redirect(receiver.url, 307)
  const id = await make()
  await makeTask(server, user)
  const [row] = await tried(id)
  expect(row).toMatchObject({ status: 'pending', responseStatus: 307, error: 'REDIRECT' })
  expect(receiver.received).toHaveLength(1)
})

test('410 switches the webhook off at once, and its owner hears of it', async () => {
  receiver.answer = () => new Response(null, { status: 410 })
  const id = await make()
  const live = await openLive(server, user.token)
  await makeTask(server, user)
  const webhook = await until(
    () => webhookOf(id),
    ({ isActive }) => !isActive,
  )
  expect(webhook.disabledReason).toBe('GONE')
  const told = await live.next('webhook.disabled')
  expect(told.data).toEqual({ webhook_id: id, reason: 'GONE' })
  live.ws.close()
  await makeTask(server, user)
  expect(await stored(id)).toHaveLength(1)
})

test('a webhook that has failed for three days is switched off, and what waits for it fails', async () => {
  receiver.answer = () => new Response(null, { status: 500 })
  const id = await make()
  await query(
    server,
    sql`update webhooks set failures = 9, failing_since = now() - interval '73 hours' where id = ${id}`,
  )
  await makeTask(server, user)
  const webhook = await until(
    () => webhookOf(id),
    ({ isActive }) => !isActive,
  )
  expect(webhook.disabledReason).toBe('FAILING')
  expect(await stored(id)).toMatchObject([{ status: 'failed', error: 'SWITCHED_OFF' }])
})

test('429 with Retry-After: nothing is sent to the webhook before', async () => {
  receiver.answer = () => new Response(null, { status: 429, headers: { 'retry-after': '3600' } })
  const id = await make()
  await makeTask(server, user)
  const [row] = await tried(id)
  const hour = Date.now() + 3500_000
  expect(row!.nextAttemptAt.getTime()).toBeGreaterThan(hour)
  await until(
    () => webhookOf(id),
    ({ pausedUntil }) => (pausedUntil?.getTime() ?? 0) > hour,
  )
  await makeTask(server, user)
  const other = await makeUser(server)
  await make(receiver.url, other)
  const task = await makeTask(server, other)
  await receiver.wait(1, ({ body }) => body.data.task_id === task.uuid)
  expect((await stored(id))[1]).toMatchObject({ status: 'pending', attempts: 0 })
})

test('a receiver that does not answer holds up no other, and is asked once at a time after a failure', async () => {
  const answered: string[] = []
  receiver.answer = async ({ body }) => {
    answered.push(body.data.title)
    return body.data.title === 'slow' ? new Promise<Response>(() => {}) : new Response('ok')
  }
  const slow = await make()
  for (let n = 0; n < 20; n++) await makeTask(server, user, { title: 'slow' })
  const other = await makeUser(server)
  const quick = await make(receiver.url, other)
  await makeTask(server, other, { title: 'quick' })
  await tried(quick)
  expect((await stored(slow)).filter(({ attempts }) => attempts > 0).length).toBeLessThanOrEqual(8)
  // All attempts that have begun have ended, and no further one begins during the pause.
  const ended = await until(
    async () => (await stored(slow)).filter(({ attempts }) => attempts > 0),
    (rows) => rows.every(({ durationMs }) => durationMs !== null),
  )
  expect(ended[0]).toMatchObject({ error: 'TIMEOUT', responseStatus: null })
  await until(
    () => webhookOf(slow),
    ({ failures }) => failures === ended.length,
  )
  expect((await webhookOf(slow)).pausedUntil!.getTime()).toBeGreaterThan(Date.now())
  const before = answered.length
  await query(server, sql`update webhooks set paused_until = null where id = ${slow}`)
  await makeDue(slow)
  await until(
    async () => answered.length,
    (count) => count > before,
  )
  expect(answered.length).toBe(before + 1)
})

test('the slow receivers of one owner leave room for others', async () => {
  const open: (() => void)[] = []
  receiver.answer = ({ body }) =>
    body.type === 'task.created' && body.data.title === 'slow'
      ? new Promise<Response>((resolve) => open.push(() => resolve(new Response('ok'))))
      : new Response('ok')
  const ids = await Promise.all(Array.from({ length: 6 }, () => make()))
  await query(
    server,
    sql`insert into webhook_deliveries (id, webhook_id, type, event, at, next_attempt_at)
      select gen_random_uuid(), w.id, 'task.created', '{"title":"slow"}', now(), now()
      from webhooks w, generate_series(1, 10) where w.user_id = ${user.user.id}`,
  )
  ctx.services.webhooks.wake()
  await until(
    async () => open.length,
    (count) => count >= 32,
  )
  const other = await makeUser(server)
  await make(receiver.url, other)
  await makeTask(server, other, { title: 'quick' })
  await receiver.wait(1, ({ body }) => body.data.title === 'quick')
  expect(open).toHaveLength(32)
  // Each answer makes room for the next one.
  const answering = setInterval(() => {
    for (const answer of open.splice(0)) answer()
  }, 10)
  for (const id of ids)
    await until(
      () => stored(id),
      (rows) => rows.every(({ status }) => status === 'delivered'),
    )
  clearInterval(answering)
})

test('a webhook that is full and has failed hides no other', async () => {
  let answer = () => {}
  receiver.answer = ({ body }) =>
    body.data.title === 'slow'
      ? new Promise<Response>((resolve) => (answer = () => resolve(new Response('ok'))))
      : new Response('ok')
  const full = await make()
  await makeTask(server, user, { title: 'slow' })
  await receiver.wait()
  await query(server, sql`update webhooks set failures = 1, failing_since = now() where id = ${full}`)
  await query(
    server,
    sql`insert into webhook_deliveries (id, webhook_id, type, event, at, next_attempt_at)
      select gen_random_uuid(), ${full}, 'task.created', '{}', now(), now() from generate_series(1, 300)`,
  )
  const other = await makeUser(server)
  await make(receiver.url, other)
  await makeTask(server, other, { title: 'quick' })
  await receiver.wait(1, ({ body }) => body.data.title === 'quick')
  expect(receiver.received).toHaveLength(2)
  await query(server, sql`delete from webhook_deliveries where webhook_id = ${full}`)
  answer()
})

test('of a large answer only the beginning is read; its status counts', async () => {
  receiver.answer = () =>
    new Response(new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(64 * 1024)) }))
  const id = await make()
  await makeTask(server, user)
  await until(
    () => stored(id),
    ([row]) => row!.status === 'delivered',
  )
})

test('nothing is sent for a user who was deactivated', async () => {
  const id = await make()
  await query(server, sql`update users set is_active = false where id = ${user.user.id}`)
  await makeTask(server, user)
  const other = await makeUser(server)
  const active = await make(receiver.url, other)
  await makeTask(server, other)
  await tried(active)
  expect(await stored(id)).toMatchObject([{ status: 'pending', attempts: 0 }])
  await query(server, sql`update users set is_active = true where id = ${user.user.id}`)
  ctx.services.webhooks.wake()
  await until(
    () => stored(id),
    ([row]) => row!.status === 'delivered',
  )
})

test('a lease that has ended: another server sends again, and the first success counts', async () => {
  const id = await make()
  let answer = (_: Response) => {}
  receiver.answer = (_, nth) =>
    nth === 1 ? new Promise<Response>((resolve) => (answer = resolve)) : new Response(null, { status: 500 })
  await makeTask(server, user)
  await receiver.wait()
  await query(
    server,
    sql`update webhook_deliveries set attempts = 2, next_attempt_at = now() + interval '1 hour' where webhook_id = ${id}`,
  )
  answer(new Response('ok'))
  await until(
    () => stored(id),
    ([row]) => row!.status === 'delivered',
  )
})

describe('cleanup', () => {
  test('of too many that wait the oldest fail; old ones and those without a webhook go', async () => {
    const id = await make()
    await query(server, sql`update webhooks set paused_until = now() + interval '1 hour' where id = ${id}`)
    await query(
      server,
      sql`insert into webhook_deliveries (id, webhook_id, type, event, at, next_attempt_at, created_at)
        select gen_random_uuid(), ${id}, 'task.created', '{}', now(), now(), now() - make_interval(secs => n)
        from generate_series(1, 10003) n`,
    )
    expect(await limitBacklogs(ctx)).toBe(3)
    const failed = (await stored(id)).filter(({ status }) => status === 'failed')
    expect(failed.every(({ error }) => error === 'TOO_MANY_WAITING')).toBe(true)
    await query(
      server,
      sql`update webhook_deliveries set created_at = now() - interval '15 days' where webhook_id = ${id} and status = 'failed'`,
    )
    await query(
      server,
      sql`insert into webhook_deliveries (id, webhook_id, type, event, at, next_attempt_at)
        values (gen_random_uuid(), 0, 'task.created', '{}', now(), now())`,
    )
    expect(await trimDeliveries(ctx)).toBe(4)
    await query(server, sql`delete from webhook_deliveries where webhook_id = ${id}`)
  })
})

test.each([
  'http://127.0.0.1/',
  'http://2130706433/',
  'http://0x7f000001/',
  'http://0177.0.0.1/',
  'http://[::ffff:10.0.0.1]/',
  'http://[64:ff9b::7f00:1]/',
  'http://169.254.169.254/latest/meta-data/',
  'http://localhost/',
  'http://no-such-name.invalid/',
])('no request goes to %s, and the owner does not learn why', async (url) => {
  const open = { config: { ...ctx.config, allowPrivateEgress: false } }
  const message = { id: 'msg_1', type: 'task.created', at: '2026-01-01T00:00:00Z', data: '{}' }
  const answer = await attempt(open, { url, secrets: [{ secret: 'secret' }] }, message)
  expect(answer).toMatchObject({ status: null, error: 'NO_PUBLIC_ADDRESS' })
})

test('data that cannot be made holds up no other delivery, and is tried again', async () => {
  const id = await make()
  await hiddenFromServer(id, async () => {
    for (const title of ['broken', 'whole']) await makeTask(server, user, { title })
  })
  const presentPayloads: PresentPayloads = (_, events) =>
    Promise.allSettled(
      events.map(async ({ event }) => {
        if ((event as { title?: string }).title === 'broken') throw new Error('broken')
        return undefined
      }),
    )
  const second = new WebhookDispatcher({ ...ctx, presentPayloads })
  second.wake()
  const [broken, whole] = await until(
    () => stored(id),
    ([broken, whole]) => broken!.error !== null && whole!.status === 'delivered',
  )
  await second.close()
  expect(broken).toMatchObject({ status: 'pending', attempts: 1, error: 'DATA_FAILED' })
  expect(whole).toMatchObject({ attempts: 1, error: null })
  expect(await webhookOf(id)).toMatchObject({ failures: 0 })
})

test('a server that stops hands back what it was sending', async () => {
  const id = await make()
  receiver.answer = () => new Promise<Response>(() => {})
  const second = new WebhookDispatcher({ ...ctx, config: { ...ctx.config, webhookTimeoutSeconds: 30 } })
  await hiddenFromServer(id, () => makeTask(server, user))
  second.wake()
  await receiver.wait()
  await second.close()
  const [row] = await stored(id)
  expect(row).toMatchObject({ status: 'pending', attempts: 0 })
  receiver.answer = () => new Response('ok')
  ctx.services.webhooks.wake()
  await until(
    () => stored(id),
    ([row]) => row!.status === 'delivered',
  )
})
