/** Requests that are sent again with the same Idempotency-Key: docs/design.md, "Repeated requests". */
import { afterAll, beforeAll, describe, expect, spyOn, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import { principalsHint } from '../../src/core/accounts/hints.ts'
import { SERVER } from '../../src/core/audit/audit.ts'
import type { Tx } from '../../src/core/context.ts'
import { answerOnce, trimAnswers } from '../../src/core/idempotency/answers.ts'
import { RunningKeys } from '../../src/core/idempotency/running-keys.ts'
import { updateSystemConfig } from '../../src/core/system/settings.ts'
import { idempotencyKeys } from '../../src/db/schema/index.ts'
import { acceptsKey } from '../../src/http/idempotency.ts'
import { descriptionOf } from '../../src/http/openapi/route.ts'
import { type Answer, api } from '../support/api.ts'
import { makeUser, type TestUser } from '../support/factories.ts'
import { hollowApp } from '../support/hollow.ts'
import { query, startServer } from '../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())
/** Minor units a minute; a task is for 30 minutes unless its body says otherwise. */
const PRICE = 100
const COST = 30
beforeAll(() => updateSystemConfig(server.ctx, SERVER, { taskPrices: { priced: PRICE } }))

const TASK = { title: 'a', task_type: 'test' }
interface Sent {
  key?: string | undefined
  body?: object | undefined
  path?: string
  language?: string
}
const post = (user: TestUser, { key, body = TASK, path = '/api/tasks', language }: Sent): Promise<Answer> =>
  api(server, 'POST', path, {
    token: user.token,
    body,
    headers: {
      ...(key !== undefined && { 'idempotency-key': key }),
      ...(language && { 'accept-language': language }),
    },
  })
const isReplayed = ({ headers }: Answer) => headers.get('idempotency-replayed') === 'true'
const tasksOf = async ({ user }: TestUser) =>
  (await query(server, sql`select title from tasks where user_id = ${user.id} order by id`)).map(
    ({ title }) => title,
  )

describe('the routes', () => {
  const STREAM = 'its body is a stream'
  const ANONYMOUS = 'nobody is signed in; the email is unique'
  /** What creates something, and takes no key. */
  const LEFT_OUT: Record<string, string> = {
    '/api/v1/auth/register': ANONYMOUS,
    '/api/auth/register': ANONYMOUS,
    '/api/v1/upload': STREAM,
    '/v1/upload/single': STREAM,
    '/v1/upload/multiple': STREAM,
    '/v1/upload/resumable': STREAM,
  }
  const posts = hollowApp()
    .routes.filter(({ method }) => method === 'POST')
    .map(({ path, handler, hooks }) => ({ path, takesKey: acceptsKey(handler), route: descriptionOf(hooks) }))

  test('that create something take a key, or have a reason not to', () => {
    const creating = posts.filter(({ route }) => route?.status === 201)
    expect(
      creating
        .filter(({ takesKey }) => !takesKey)
        .map(({ path }) => path)
        .sort(),
    ).toEqual(Object.keys(LEFT_OUT).sort())
    expect(creating.length).toBeGreaterThan(15)
  })

  test('that move money take a key', () => {
    const paying = posts.filter(
      ({ path, route }) =>
        route?.errors?.includes('INSUFFICIENT_BALANCE') ||
        path.startsWith('/api/recharge/') ||
        /^\/api\/.*tasks\/:id\/(cancel|force-stop)$/.test(path),
    )
    expect(paying.filter(({ takesKey }) => !takesKey).map(({ path }) => path)).toEqual([])
    expect(paying.length).toBe(6)
  })
})

describe('the same key', () => {
  test('with the same body: one task, and one answer', async () => {
    const owner = await makeUser(server, { balanceMinor: 10_000 })
    const ask = { key: '"8e03978e-40d5-43dd-bc93-6894a57f9324"', body: { ...TASK, task_type: 'priced' } }
    const first = await post(owner, ask)
    expect([first.status, isReplayed(first)]).toEqual([201, false])
    const again = await post(owner, ask)
    expect([again.status, isReplayed(again), again.text]).toEqual([201, true, first.text])
    expect(await tasksOf(owner)).toEqual(['a'])
    const me = await api(server, 'GET', '/api/users/me', { token: owner.token })
    expect(me.body.data.available_balance).toBe(100 - COST)
  })

  test('in another language: the answer stays in that of the first request', async () => {
    const owner = await makeUser(server)
    const first = await post(owner, { key: 'k' })
    const again = await post(owner, { key: 'k', language: 'en' })
    expect([again.text, isReplayed(again)]).toEqual([first.text, true])
    expect((await post(owner, { language: 'en' })).body.message).not.toBe(first.body.message)
  })

  test('bare, and quoted, is one key; spaces, the order of fields and unknown fields make no other body', async () => {
    const owner = await makeUser(server)
    const first = await post(owner, { key: '"one"' })
    const raw = '{ "task_type" : "test", "nobody_knows": 1, "title": "a" }'
    const bare = await api(server, 'POST', '/api/tasks', {
      token: owner.token,
      raw,
      headers: { 'idempotency-key': 'one' },
    })
    expect([bare.text, isReplayed(bare)]).toEqual([first.text, true])
  })

  test('with another body is 422, and changes nothing', async () => {
    const owner = await makeUser(server)
    const first = await post(owner, { key: 'k' })
    const other = await post(owner, { key: 'k', body: { ...TASK, title: 'b' } })
    expect([other.status, other.body.error_code, isReplayed(other)]).toEqual([
      422,
      'IDEMPOTENCY_KEY_REUSED',
      false,
    ])
    expect(await tasksOf(owner)).toEqual(['a'])
    expect((await post(owner, { key: 'k' })).text).toBe(first.text)
  })

  test('for another task of the same route is 422', async () => {
    const owner = await makeUser(server)
    const cancelled = async () => {
      const { id } = (await post(owner, {})).body.data
      await post(owner, { path: `/api/tasks/${id}/cancel`, body: undefined })
      return `/api/tasks/${id}/retry`
    }
    const [one, two] = [await cancelled(), await cancelled()]
    const first = await post(owner, { key: 'k', path: one })
    expect(first.status).toBe(200)
    expect((await post(owner, { key: 'k', path: two })).status).toBe(422)
    expect((await post(owner, { key: 'k', path: one })).text).toBe(first.text)
    // Without the key the task is pending, and cannot be retried.
    expect((await post(owner, { path: one })).status).toBe(409)
  })

  test('of another user, and on another route, is another key', async () => {
    const [one, two] = [await makeUser(server), await makeUser(server)]
    for (const user of [one, two]) expect(isReplayed(await post(user, { key: 'shared' }))).toBe(false)
    const item = { title: 'a', start_at: '2030-01-01T00:00:00Z' }
    const other = await post(one, { key: 'shared', path: '/api/v1/schedule-items', body: item })
    expect([other.status, isReplayed(other)]).toEqual([201, false])
  })

  test('at the same moment: one task, and 409 or the answer for the others', async () => {
    const owner = await makeUser(server)
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(owner, { key: 'k' })))
    const made = answers.filter(({ status }) => status === 201)
    expect(new Set(made.map(({ text }) => text)).size).toBe(1)
    for (const answer of answers.filter(({ status }) => status !== 201))
      expect([answer.status, answer.body.error_code]).toEqual([409, 'IDEMPOTENCY_KEY_IN_USE'])
    expect(made.filter((answer) => !isReplayed(answer))).toHaveLength(1)
    expect(await tasksOf(owner)).toEqual(['a'])
    expect(isReplayed(await post(owner, { key: 'k' }))).toBe(true)
  })

  test('is free again when the answer has been kept for 24 hours', async () => {
    const owner = await makeUser(server)
    await post(owner, { key: 'old' })
    await post(owner, { key: 'new' })
    await server.ctx.db.execute(
      sql`update idempotency_keys set created_at = now() - interval '24 hours 1 second' where key = 'old'`,
    )
    expect(await trimAnswers(server.ctx)).toBe(1)
    expect(isReplayed(await post(owner, { key: 'old' }))).toBe(false)
    expect(isReplayed(await post(owner, { key: 'new' }))).toBe(true)
  })
})

describe('an error', () => {
  const PAID = { ...TASK, task_type: 'priced' }

  test('that the same request would get again is repeated, in the language of the new request', async () => {
    const owner = await makeUser(server)
    const [zh, en] = [
      await post(owner, { key: 'k', body: PAID }),
      await post(owner, { key: 'k', body: PAID, language: 'en' }),
    ]
    expect([zh.status, zh.body.error_code, isReplayed(zh)]).toEqual([400, 'INSUFFICIENT_BALANCE', false])
    expect([en.status, en.body.error_code, isReplayed(en)]).toEqual([400, 'INSUFFICIENT_BALANCE', true])
    expect(en.body.message).toBe('The available balance is too low; top it up first')
    expect(await tasksOf(owner)).toEqual([])
  })

  test('of a limit frees the key', async () => {
    const owner = await makeUser(server)
    await updateSystemConfig(server.ctx, SERVER, { maxConcurrentTasksPerUser: 1 })
    const { id } = (await post(owner, {})).body.data
    expect((await post(owner, { key: 'k' })).status).toBe(429)
    await post(owner, { path: `/api/tasks/${id}/cancel`, body: undefined })
    const again = await post(owner, { key: 'k' })
    await updateSystemConfig(server.ctx, SERVER, { maxConcurrentTasksPerUser: 100 })
    expect([again.status, isReplayed(again)]).toEqual([201, false])
  })

  const DROPPED = { code: 'ERROR_OF_ANOTHER_VERSION', params: {}, issues: [], part: 'body' }
  const OLD_RULE = { field: 'title', rule: 'rule_of_another_version' }
  test.each([
    ['a code', DROPPED],
    ['a rule', { ...DROPPED, code: 'VALIDATION_FAILED', issues: [OLD_RULE] }],
  ])('with %s that this version does not know: the request does its work again', async (_, error) => {
    const owner = await makeUser(server)
    expect((await post(owner, { key: 'k', body: PAID })).status).toBe(400)
    const { sealed, db } = server.ctx
    await db
      .update(idempotencyKeys)
      .set({ answerSealed: sealed.seal('idempotency', JSON.stringify({ error })) })
      .where(eq(idempotencyKeys.userId, owner.user.id))
    const again = await post(owner, { key: 'k', body: PAID })
    expect([again.status, isReplayed(again)]).toEqual([400, false])
    const kept = await post(owner, { key: 'k', body: PAID })
    expect([kept.status, kept.text, isReplayed(kept)]).toEqual([400, again.text, true])
  })

  test('of the body frees the key', async () => {
    const owner = await makeUser(server)
    expect((await post(owner, { key: 'k', body: { title: 'a', task_type: 'Not A Type' } })).status).toBe(422)
    expect((await post(owner, { key: 'k' })).status).toBe(201)
  })
})

describe('a key', () => {
  const BAD = [
    '',
    '""',
    '"a',
    'a"',
    'a b',
    'a,b',
    '"a", "b"',
    '"a" "b"',
    "'a'; x",
    '"é"',
    'a\tb',
    '"a\\b"',
    'a'.repeat(256),
    `"${'a'.repeat(256)}"`,
  ]
  test.each<[string, string, number, (answer: Answer) => unknown]>([
    ['factory', '/api/tasks', 422, ({ body }) => body.details.field_errors['idempotency-key']],
    ['runtime', '/api/v1/schedule-items/feed', 422, ({ body }) => body.error.details['idempotency-key']],
    ['learning', '/api/v1/materials/1/like', 400, ({ body }) => body.error.details['idempotency-key']],
    [
      'portfolio',
      '/v1/webhooks',
      400,
      ({ body }) => body.error.details.find(({ field }: { field: string }) => field === 'idempotency-key'),
    ],
  ])('of %s that is malformed is a validation error', async (_, path, status, textOf) => {
    const owner = await makeUser(server)
    const body = path === '/v1/webhooks' ? { url: 'https://example.com/', events: ['task.completed'] } : TASK
    for (const key of BAD) {
      const answer = await post(owner, { key, path, body })
      expect([key, answer.status]).toEqual([key, status])
      expect(textOf(answer)).toBeTruthy()
    }
  })

  test('may have 255 characters, commas in quotes, and escapes', async () => {
    const owner = await makeUser(server)
    for (const key of [
      'a'.repeat(255),
      `"${'a'.repeat(254)}b"`,
      '"a, b"',
      '"\\"\\\\"',
      "!#$%&'*+-.^_`|~:;=?@/()[]{}<>",
    ])
      expect((await post(owner, { key })).status, key).toBe(201)
    expect(isReplayed(await post(owner, { key: '"\\"\\\\"' }))).toBe(true)
  })

  test('without a sign-in does nothing, and neither does one of a route that takes none', async () => {
    const owner = await makeUser(server)
    expect(
      (await api(server, 'POST', '/api/tasks', { body: TASK, headers: { 'idempotency-key': 'k' } })).status,
    ).toBe(401)
    for (const _ of [1, 2]) {
      const answer = await api(server, 'POST', '/api/ws/ticket', {
        token: owner.token,
        headers: { 'idempotency-key': '' },
      })
      expect([answer.status, isReplayed(answer)]).toEqual([200, false])
    }
  })
})

describe('the work of a request with a key', () => {
  test('does not sign its user in again, which would take a second connection', async () => {
    const admin = await makeUser(server, { role: 'admin' })
    const { bus, services } = server.ctx
    // The last step before the transaction.
    const take = spyOn(services.runningKeys, 'take').mockImplementation(function (
      this: RunningKeys,
      request,
    ) {
      bus.publish(principalsHint, { userId: admin.user.id })
      return RunningKeys.prototype.take.call(this, request)
    })
    const body = { title: 'a', date: '2024-01-15' }
    const { status } = await post(admin, { key: 'k', path: '/v1/timeline/events', body })
    take.mockRestore()
    expect(status).toBe(201)
  })

  test('begins after what takes long, and a repeated request does not wait for that', async () => {
    const { user } = await makeUser(server)
    const request = { userId: user.id, route: 'POST /slow', key: 'k', content: '' }
    let prepared = 0
    const steps = {
      async prepare() {
        // The only connection of the embedded database is free.
        await query(server, sql`select 1`)
        return ++prepared
      },
      work: async (_: Tx, body?: number) => ({ status: 200, headers: {}, body }),
    }
    const answer = { status: 200, headers: {}, body: 1 }
    expect(await answerOnce(server.ctx, request, steps)).toEqual({ made: answer })
    expect(await answerOnce(server.ctx, request, steps)).toEqual({ kept: { answer } })
    expect(prepared).toBe(1)
  })
})

test('the table holds no secret of an answer or a request', async () => {
  const admin = await makeUser(server, { role: 'super_admin' })
  const body = { name: 'secretive', host: 'h', max_concurrent_tasks: 1 }
  const { node_token } = (await post(admin, { key: 'k', path: '/api/gpu/servers', body })).body.data
  const rows = JSON.stringify(
    await query(server, sql`select * from idempotency_keys where user_id = ${admin.user.id}`),
  )
  expect(rows).toContain('POST /api/gpu/servers')
  for (const secret of [node_token, 'secretive']) expect(rows).not.toContain(secret)
})
