/** Webhooks as their owners manage them, with a receiver on this machine. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { type Answer, type Ask, api } from '../../support/api.ts'
import { makeTask, makeUser, type TestUser, unique } from '../../support/factories.ts'
import { makePhotos } from '../../support/photos.ts'
import { Receiver, signatureOf, standardSignature } from '../../support/receiver.ts'
import { query, startServer } from '../../support/server.ts'
import { expectAnswer, expectPortfolioError, misfits } from '../../support/shapes.ts'
import { CATEGORY, DETAIL, enveloped, PAGINATION } from './shapes.ts'

const server = await startServer({
  ALLOW_PRIVATE_EGRESS: '1',
  WEBHOOK_TIMEOUT_SECONDS: '1',
  WEBHOOKS_PER_USER: '3',
})
const receiver = new Receiver()
afterAll(async () => {
  await server.stop()
  await receiver.stop()
})
const ask = (method: string, path: string, { token }: Partial<TestUser> = {}, rest: Ask = {}) =>
  api(server, method, `/v1/webhooks${path}`, { token, ...rest })

const WEBHOOK = {
  id: 'integer',
  url: 'string',
  description: 'string',
  events: ['string'],
  is_active: 'boolean',
  disabled_reason: 'string',
  failures: 'integer',
  failing_since: 'instant|null',
  paused_until: 'instant|null',
  last_delivered_at: 'instant|null',
  former_secret_until: 'instant|null',
  created_at: 'instant',
  updated_at: 'instant',
} as const
const DELIVERY = {
  id: 'string',
  webhook_id: 'integer',
  event: 'string',
  timestamp: 'instant',
  status: 'string',
  attempts: 'integer',
  next_attempt_at: 'instant|null',
  last_attempt_at: 'instant|null',
  response_status: 'integer|null',
  error: 'string',
  duration_ms: 'integer|null',
  delivered_at: 'instant|null',
  created_at: 'instant',
} as const

let user: TestUser
let admin: TestUser
beforeAll(async () => {
  admin = await makeUser(server, { role: 'admin' })
})
beforeEach(async () => {
  user = await makeUser(server)
  receiver.received.length = 0
  receiver.answer = () => new Response('ok')
})

const refused = (answer: Answer, status: number, code: string) =>
  expectPortfolioError(answer, { status, code })

const URL_OF_EXAMPLE = 'https://example.com/webhook'

async function create(who: TestUser, fields: object = {}) {
  const body = { url: receiver.url, events: ['task.created'], ...fields }
  const answer = await ask('POST', '', who, { body })
  expectAnswer(answer, 201, enveloped({ ...WEBHOOK, secret: 'string' }))
  return answer.body.data as { id: number; secret: string; events: string[]; is_active: boolean }
}

/** The deliveries of a webhook, once all have the status. */
async function deliveries(who: TestUser, id: number, status: string, count = 1) {
  for (;;) {
    const answer = await ask('GET', `/${id}/deliveries?limit=100`, who)
    const { data } = answer.body
    if (data.length >= count && data.every((one: { status: string }) => one.status === status)) {
      expectAnswer(answer, 200, { ...enveloped([DELIVERY]), pagination: PAGINATION })
      return data
    }
    await Bun.sleep(10)
  }
}

describe('POST /v1/webhooks', () => {
  test('the documented request; the secret of the user signs', async () => {
    const secret = 'webhook_secret_key'
    const events = ['photo.created', 'photo.updated', 'photo.deleted']
    const answer = await ask('POST', '', admin, {
      body: { url: URL_OF_EXAMPLE, events, secret, is_active: true },
    })
    expectAnswer(answer, 201, enveloped({ ...WEBHOOK, secret: 'string' }))
    expect(answer.body.data).toMatchObject({ url: URL_OF_EXAMPLE, events, secret, is_active: true })
    const { id } = answer.body.data
    const shown = await ask('GET', `/${id}`, admin)
    expectAnswer(shown, 200, enveloped(WEBHOOK))
    expect(shown.text).not.toContain(secret)
    expect((await ask('DELETE', `/${id}`, admin)).status).toBe(204)
    refused(await ask('GET', `/${id}`, admin), 404, 'RESOURCE_NOT_FOUND')
  })

  test('without a secret the server makes one', async () => {
    const { secret } = await create(user)
    expect(Buffer.from(secret.replace(/^whsec_/, ''), 'base64').length).toBe(32)
  })

  test.each([
    [{ events: [] }, 'events'],
    [{ events: ['task.created', 'nothing.happened'] }, 'events.1'],
    [{ events: undefined }, 'events'],
    [{ url: undefined }, 'url'],
    [{ url: 'ftp://example.com/' }, 'url'],
    [{ url: 'https://user:password@example.com/' }, 'url'],
    [{ url: 'nonsense' }, 'url'],
    [{ url: 'https://example.com:25/' }, 'url'],
    [{ url: `https://example.com/${'a'.repeat(2048)}` }, 'url'],
    [{ secret: 'short' }, 'secret'],
    [{ secret: 'whsec_no+base64' }, 'secret'],
    [{ secret: `whsec_${Buffer.alloc(16).toString('base64')}` }, 'secret'],
    [{ is_active: 'perhaps' }, 'is_active'],
  ])('%j is 400 and names the field', async (fields, field) => {
    const body = { url: URL_OF_EXAMPLE, events: ['task.created'], ...fields }
    const answer = await ask('POST', '', user, { body })
    refused(answer, 400, 'VALIDATION_ERROR')
    expect(answer.body.error.details.map((one: { field: string }) => one.field)).toContain(field)
  })

  test('events of the site are for administrators', async () => {
    const editor = await makeUser(server, { role: 'editor' })
    for (const event of ['photo.created', 'category.deleted', 'user.login', 'system.backup', 'gpu.online']) {
      const answer = await ask('POST', '', editor, {
        body: { url: URL_OF_EXAMPLE, events: ['task.created', event] },
      })
      refused(answer, 403, 'PERMISSION_DENIED')
      expect(answer.body.error.details).toMatchObject({ user_role: 'editor', events: event })
      expect(answer.body.message).toContain(event)
    }
    const { id } = await create(editor)
    refused(
      await ask('PUT', `/${id}`, editor, { body: { events: ['photo.created'] } }),
      403,
      'PERMISSION_DENIED',
    )
  })

  test('no more than the limit, also at once', async () => {
    const body = { url: URL_OF_EXAMPLE, events: ['task.created'] }
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask('POST', '', user, { body })))
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 201, 409, 409])
  })

  test('signed out', async () => {
    refused(await ask('POST', '', {}, { body: {} }), 401, 'AUTHENTICATION_REQUIRED')
  })
})

test("another user's webhook does not exist, for anybody", async () => {
  const { id } = await create(user)
  const delivery = `msg_${'0'.repeat(32)}`
  for (const [method, path] of [
    ['GET', ''],
    ['PUT', ''],
    ['DELETE', ''],
    ['POST', '/test'],
    ['POST', '/rotate-secret'],
    ['GET', '/deliveries'],
    ['GET', `/deliveries/${delivery}`],
    ['POST', `/deliveries/${delivery}/redeliver`],
    ['POST', '/redeliver'],
  ] as const) {
    const body = path === '/redeliver' ? { from: '2024-01-01', to: '2024-01-02' } : {}
    const rest = method === 'GET' || method === 'DELETE' ? {} : { body }
    refused(await ask(method, `/${id}${path}`, admin, rest), 404, 'RESOURCE_NOT_FOUND')
  }
  const list = await ask('GET', '', admin)
  expectAnswer(list, 200, { ...enveloped([WEBHOOK]), pagination: PAGINATION })
  expect(list.body.data).toEqual([])
})

describe('a delivery', () => {
  test('has the event, both signatures, and stays in the list', async () => {
    const { id, secret } = await create(user)
    const task = await makeTask(server, user)
    const [one] = await receiver.wait()
    expect(Object.keys(one!.body)).toEqual(['event', 'type', 'id', 'timestamp', 'data', 'signature'])
    expect(one!.body).toMatchObject({
      event: 'task.created',
      type: 'task.created',
      data: { task_id: task.uuid, id: task.id },
    })
    expect(one!.body.signature).toBe(signatureOf(one!, secret))
    const { signature: _, ...unsigned } = one!.body
    expect(one!.text.startsWith(JSON.stringify(unsigned).slice(0, -1))).toBe(true)
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
    expect(one!.headers['webhook-signature']).toBe(standardSignature(one!, key))
    expect(one!.headers['content-type']).toBe('application/json')
    const [shown] = await deliveries(user, id, 'delivered')
    expect(shown).toMatchObject({
      id: one!.headers['webhook-id'],
      event: 'task.created',
      attempts: 1,
      response_status: 200,
    })
    const detail = await ask('GET', `/${id}/deliveries/${shown.id}`, user)
    expectAnswer(detail, 200, enveloped({ ...DELIVERY, data: 'object' }))
    expect(detail.body.data.data).toEqual(one!.body.data)
    expect((await ask('GET', `/${id}`, user)).body.data.last_delivered_at).toBeString()
  })

  test('of a type that the webhook does not name, or while it is off, does not exist', async () => {
    const { id } = await create(user, { events: ['task.deleted'] })
    const off = await create(user, { is_active: false })
    await makeTask(server, user)
    for (const webhook of [id, off.id])
      expect((await ask('GET', `/${webhook}/deliveries`, user)).body.data).toEqual([])
  })

  test('a raw secret signs both with its own bytes', async () => {
    const secret = '密钥 secret key'
    await create(user, { secret })
    await makeTask(server, user)
    const [one] = await receiver.wait()
    expect(one!.body.signature).toBe(signatureOf(one!, secret))
    expect(one!.headers['webhook-signature']).toBe(standardSignature(one!, Buffer.from(secret)))
  })

  test('a secret that was replaced goes on signing for a time', async () => {
    const { id, secret } = await create(user, { secret: 'the first secret' })
    expect((await ask('PUT', `/${id}`, user, { body: { secret: 'the second secret' } })).status).toBe(200)
    const rotated = await ask('POST', `/${id}/rotate-secret`, user)
    expectAnswer(rotated, 200, enveloped({ ...WEBHOOK, secret: 'string', former_secret_until: 'instant' }))
    await makeTask(server, user)
    const [one] = await receiver.wait()
    const third = rotated.body.data.secret
    const keys = [
      Buffer.from(third.slice('whsec_'.length), 'base64'),
      Buffer.from('the second secret'),
      Buffer.from(secret),
    ]
    expect(one!.headers['webhook-signature']).toBe(keys.map((key) => standardSignature(one!, key)).join(' '))
    expect(one!.body.signature).toBe(signatureOf(one!, third))
    await query(
      server,
      sql`update webhooks set secrets = jsonb_set(secrets, '{1,until}', '"2020-01-01T00:00:00Z"') where id = ${id}`,
    )
    await makeTask(server, user)
    const [, two] = await receiver.wait(2)
    expect(two!.headers['webhook-signature']!.split(' ')).toHaveLength(2)
  })

  test('filters and pages', async () => {
    const { id } = await create(user)
    await makeTask(server, user)
    await makeTask(server, user)
    await deliveries(user, id, 'delivered', 2)
    const count = async (filter: string) =>
      (await ask('GET', `/${id}/deliveries?${filter}`, user)).body.pagination.total
    const today = new Date().toISOString().slice(0, 10)
    expect(await count('status=delivered&event=task.created&limit=1')).toBe(2)
    expect(await count('status=failed')).toBe(0)
    expect(await count('event=task.deleted')).toBe(0)
    expect(await count(`from=2024-01-01&to=${today}`)).toBe(2)
    expect(await count('to=2024-01-01')).toBe(0)
    refused(await ask('GET', `/${id}/deliveries?from=soon`, user), 400, 'VALIDATION_ERROR')
    refused(
      await ask('GET', `/${id}/deliveries?from=2024-02-01&to=2024-01-01`, user),
      422,
      'UNPROCESSABLE_ENTITY',
    )
  })
})

describe('the documented events', () => {
  test('photos and categories in full; of deleted ones their id; of what is gone by then, what the event knew', async () => {
    const events = ['photo.updated', 'photo.deleted', 'category.created', 'category.deleted']
    const { id } = await create(admin, { events })
    const [photo, gone] = await makePhotos(server, user, [{ title: unique('photo ') }, { title: 'gone' }])
    const call = (method: string, path: string, body?: object) =>
      api(server, method, `/v1${path}`, { token: admin.token, ...(body && { body }) })
    await call('PUT', `/photos/${photo!.id}`, { title: 'another title' })
    await receiver.wait(1)
    await query(server, sql`update webhooks set paused_until = now() + interval '1 hour' where id = ${id}`)
    await call('PUT', `/photos/${gone!.id}`, { title: 'gone soon' })
    await call('DELETE', `/photos/${gone!.id}`)
    const made = await call('POST', '/categories', { name: unique('category ') })
    await query(server, sql`update webhooks set paused_until = null where id = ${id}`)
    server.ctx.services.webhooks.wake()
    const category = made.body.data.id
    await receiver.wait(1, ({ body }) => body.event === 'category.created')
    await call('DELETE', `/categories/${category}`)
    const received = await receiver.wait(5)
    const of = (event: string, subject: number) =>
      received.find(({ body }) => body.event === event && body.data.id === subject)!.body.data
    const unknown = {
      taken_at: 'instant|null',
      exif: 'object',
      location: 'object',
      categories: 'array',
      tags: 'array',
    } as const
    expect(misfits(of('photo.updated', photo!.id), { ...DETAIL, ...unknown })).toEqual([])
    expect(of('photo.updated', photo!.id).title).toBe('another title')
    expect(of('photo.updated', gone!.id)).toMatchObject({ title: 'gone soon', status: 'published' })
    expect(of('photo.deleted', gone!.id)).toEqual({ id: gone!.id })
    expect(misfits(of('category.created', category), { ...CATEGORY, cover_photo: 'null' })).toEqual([])
    expect(of('category.deleted', category)).toEqual({ id: category })
  })

  test('a sign-in', async () => {
    await create(admin, { events: ['user.login'] })
    const body = { username: user.user.username, password: user.password }
    expect((await api(server, 'POST', '/v1/auth/login', { body })).status).toBe(200)
    const [one] = await receiver.wait(1, ({ body }) => body.data.id === user.user.id)
    expect(one!.body.data).toMatchObject({ username: user.user.username, role: 'user' })
  })

  test('a role that is lost ends them at once', async () => {
    const former = await makeUser(server, { role: 'admin' })
    const { id } = await create(former, { events: ['category.created', 'task.created'] })
    await query(server, sql`update webhooks set paused_until = now() + interval '1 hour' where id = ${id}`)
    await api(server, 'POST', '/v1/categories', { token: admin.token, body: { name: unique('category ') } })
    const path = `/api/admin/users/${former.user.id}`
    const demoted = await api(server, 'PUT', path, { token: admin.token, body: { role: 'user' } })
    expect(demoted.status).toBe(200)
    await query(server, sql`update webhooks set paused_until = null where id = ${id}`)
    await makeTask(server, former)
    const [one] = await receiver.wait(1, ({ body }) => body.event === 'task.created')
    expect(one).toBeDefined()
    const list = await ask('GET', `/${id}/deliveries?event=category.created`, former)
    expect(list.body.data).toMatchObject([
      { status: 'failed', error: 'NOT_PERMITTED', response_status: null },
    ])
    const ids = receiver.received.map(({ headers }) => headers['webhook-id'])
    expect(ids).not.toContain(list.body.data[0].id)
    const again = `/${id}/deliveries/${list.body.data[0].id}/redeliver`
    refused(await ask('POST', again, former), 403, 'PERMISSION_DENIED')
  })
})

describe('sending again', () => {
  test('one delivery, and those of a time', async () => {
    const { id } = await create(user)
    receiver.answer = () => new Response(null, { status: 400 })
    await makeTask(server, user)
    await receiver.wait()
    receiver.answer = () => new Response(null, { status: 204 })
    const [failed] = await deliveries(user, id, 'pending')
    const one = await ask('POST', `/${id}/deliveries/${failed.id}/redeliver`, user)
    expectAnswer(one, 200, enveloped(DELIVERY))
    const [, second] = await receiver.wait(2)
    expect(second!.headers['webhook-id']).toBe(failed.id)
    await deliveries(user, id, 'delivered')
    const wrong = await ask('POST', `/${id}/redeliver`, user, { body: { from: 'x', to: 'y' } })
    expectPortfolioError(wrong, { status: 400, code: 'VALIDATION_ERROR', fields: ['from', 'to'] })
    const range = { from: failed.timestamp, to: failed.timestamp }
    const none = await ask('POST', `/${id}/redeliver`, user, { body: range })
    expectAnswer(none, 200, enveloped({ redelivered: 'integer' }))
    expect(none.body.data.redelivered).toBe(0)
    const again = await ask('POST', `/${id}/redeliver`, user, { body: { ...range, status: 'delivered' } })
    expect(again.body.data.redelivered).toBe(1)
    const [, , third] = await receiver.wait(3)
    expect(third!.text).toBe(second!.text)
  })

  test('not while the webhook is off', async () => {
    const { id } = await create(user)
    await makeTask(server, user)
    const [one] = await deliveries(user, id, 'delivered')
    await ask('PUT', `/${id}`, user, { body: { is_active: false } })
    refused(await ask('POST', `/${id}/deliveries/${one.id}/redeliver`, user), 409, 'RESOURCE_CONFLICT')
    const body = { from: '2024-01-01', to: '2999-01-01' }
    refused(await ask('POST', `/${id}/redeliver`, user, { body }), 409, 'RESOURCE_CONFLICT')
    const missing = `/${id}/deliveries/msg_${'0'.repeat(32)}`
    const unknown = await ask('GET', missing, user)
    refused(unknown, 404, 'RESOURCE_NOT_FOUND')
    expect(unknown.body.error.details.resource_id).toBe(missing.split('/').at(-1))
    refused(await ask('GET', `/${id}/deliveries/5`, user), 400, 'VALIDATION_ERROR')
  })
})

describe('POST /v1/webhooks/{id}/test', () => {
  const TEST = {
    delivered: 'boolean',
    message_id: 'string',
    response_status: 'integer|null',
    error: 'string',
    duration_ms: 'integer',
  } as const

  test('sends a signed message and says what the receiver answered', async () => {
    const { id, secret } = await create(user, { is_active: false })
    const good = await ask('POST', `/${id}/test`, user)
    expectAnswer(good, 200, enveloped(TEST))
    const [one] = await receiver.wait()
    expect(one!.body).toMatchObject({
      event: 'webhook.ping',
      data: { webhook_id: id },
      signature: signatureOf(one!, secret),
    })
    expect(good.body.data).toMatchObject({
      delivered: true,
      message_id: one!.headers['webhook-id'],
      response_status: 200,
    })
    receiver.answer = () => Response.redirect('http://169.254.169.254/')
    expect((await ask('POST', `/${id}/test`, user)).body.data).toMatchObject({
      delivered: false,
      response_status: 302,
      error: 'REDIRECT',
    })
    receiver.answer = () => new Promise(() => {})
    expect((await ask('POST', `/${id}/test`, user)).body.data).toMatchObject({
      delivered: false,
      response_status: null,
      error: 'TIMEOUT',
    })
    expect((await ask('GET', `/${id}`, user)).body.data.failures).toBe(0)
  })
})
