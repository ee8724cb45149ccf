/** Invalid requests get an error in the form of the contract that does not repeat the input, in production too. */
import { afterAll, describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { toStorable } from '../../src/util/storable.ts'
import { api } from '../support/api.ts'
import {
  BAD_BODIES,
  expectRefusal,
  expectUnderstoodOrRefused,
  ODD_QUERIES,
  RECOGNISABLE,
} from '../support/bad-requests.ts'
import { makeTask, makeUser, unique } from '../support/factories.ts'
import { query, startServer, type TestServer } from '../support/server.ts'
import { expectFactoryError, expectLearningError, expectWithout } from '../support/shapes.ts'

const PRODUCTION = { NODE_ENV: 'production', JWT_SECRET: 'long enough for a server in production' }
const servers: [string, TestServer][] = [
  ['development', await startServer()],
  ['production', await startServer(PRODUCTION)],
]
afterAll(() => Promise.all(servers.map(([, server]) => server.stop())))

describe.each(servers)('in %s', (environment, server) => {
  test.each(Object.entries(BAD_BODIES))(
    '%s is refused by both registrations and by the portfolio',
    async (_, bad) => {
      await expectRefusal(server.url, '/api/auth/register', bad)
      await expectRefusal(server.url, '/api/v1/auth/register', bad)
      await expectRefusal(server.url, '/v1/auth/login', bad)
    },
  )

  test('none of them has made an account', async () => {
    expect(
      await query(
        server,
        sql`select username from users where email in ('a@example.com', 'zero@example.com')`,
      ),
    ).toEqual([])
  })

  test('odd queries are understood or refused, and none is a 500', async () => {
    const { token } = await makeUser(server)
    for (const text of ODD_QUERIES) await expectUnderstoodOrRefused(server.url, token, text)
  })

  test('a fault that nobody expected says nothing of itself', async () => {
    const { user, token } = await makeUser(server)
    const { db } = server.ctx
    const transaction = db.transaction
    db.transaction = () => Promise.reject(new Error(`select password_hash from users at /srv/secret.ts`))
    try {
      const answer = await api(server, 'POST', '/api/tasks/1/cancel', { token })
      expectFactoryError(answer, { status: 500, code: 'INTERNAL_ERROR' })
      expectWithout(answer, 'password_hash', 'secret', user.email)
      const learning = await api(server, 'POST', '/api/v1/auth/logout', { token })
      expectLearningError(learning, { status: 500, code: 'INTERNAL_ERROR' })
      expectWithout(learning, 'password_hash', 'secret')
    } finally {
      db.transaction = transaction
    }
  })

  test('the environment is told', async () => {
    expect((await api(server, 'GET', '/health')).body.environment).toBe(environment)
  })
})

describe('what is odd and right', () => {
  const [, server] = servers[0]!

  test.each([
    ['another case', 'Application/JSON'],
    ['a charset', 'application/json; charset=utf-8'],
    ['white space', 'application/json ;charset=utf-8'],
    ['a suffix', 'application/merge-patch+json'],
  ])('JSON by a type with %s is read', async (_, type) => {
    const response = await fetch(`${server.url}/api/auth/login`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: JSON.stringify({ email: 'nobody@example.com', password: RECOGNISABLE }),
    })
    expect(response.status).toBe(401)
  })

  test('a body that a route does not read cannot break it', async () => {
    const owner = await makeUser(server)
    for (const [type, body] of [
      ['text/plain', 'hello'],
      ['application/x-www-form-urlencoded', ''],
      ['application/json', ''],
      ['application/json', '{}'],
      ['application/json', '{"a":'],
      ['application/json', '[1]'],
      ['application/json', '{"a":"\\u0000"}'],
      ['application/json', `"${'x'.repeat(1_500_000)}"`],
      [undefined, undefined],
    ]) {
      const task = await makeTask(server, owner)
      const response = await fetch(`${server.url}/api/tasks/${task.id}/cancel`, {
        method: 'POST',
        headers: { authorization: `Bearer ${owner.token}`, ...(type && { 'content-type': type }) },
        ...(body !== undefined && { body }),
      })
      expect(response.status, `${type} ${body}`).toBe(200)
    }
  })

  test('emoji, other scripts, markup and a backslash before u0000 come back as they were', async () => {
    const { token } = await makeUser(server)
    const body = {
      title: '🦉👩‍👩‍👧‍👦 夜景 עברית',
      description: 'a\\u0000b \\ud800 <script>alert(1)</script> \' " \\ \u2028 \ufeff',
      task_type: 'test',
      config: { '键🦉': ['\\u0000', { deep: [[[null]]] }], __proto__x: 1, '': '', n: -0.5e-7 },
    }
    const created = await api(server, 'POST', '/api/tasks', { token, body })
    expect(created.status).toBe(201)
    const read = await api(server, 'GET', `/api/tasks/${created.body.id}`, { token })
    expect(read.body.data).toMatchObject(body)
  })

  test('__proto__ in a free object is a field like any other, and no prototype', async () => {
    const { token } = await makeUser(server)
    const raw = '{"title":"t","task_type":"test","config":{"__proto__":{"polluted":true},"a":1}}'
    const created = await api(server, 'POST', '/api/tasks', { token, raw })
    expect(created.status).toBe(201)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
    expect(Object.keys(created.body.data.config).sort()).toEqual(['__proto__', 'a'])
  })

  test('the deepest nesting that is taken is stored, and one more is refused', async () => {
    const { token } = await makeUser(server)
    const nested = (n: number) =>
      `{"title":"t","task_type":"test","config":{"a":${'['.repeat(n)}${']'.repeat(n)}}}`
    expect((await api(server, 'POST', '/api/tasks', { token, raw: nested(62) })).status).toBe(201)
    const answer = await api(server, 'POST', '/api/tasks', { token, raw: nested(63) })
    expectFactoryError(answer, { status: 422, code: 'VALIDATION_ERROR', fields: ['body'] })
  })

  test('what is nested too deep is cut where it cannot be refused: in what a node reports', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const cut = JSON.stringify(toStorable(deep, JSON.parse(deep)))
    expect(cut).toBe(`${'['.repeat(64)}null${']'.repeat(64)}`)
    const odd = '{"a\\u0000":"b\\ud800","c":"\\\\u0000"}'
    expect(toStorable(odd, JSON.parse(odd))).toEqual({ 'a\ufffd': 'b\ufffd', c: '\\u0000' })
  })

  test('every answer has an id of its own, and is of the type that it says', async () => {
    const answers = await Promise.all(
      ['/health', '/api/x', '/v1/x', '/api/v1/x', '/x', '/api/tasks'].map((path) => api(server, 'GET', path)),
    )
    const ids = answers.map(({ headers }) => headers.get('x-request-id'))
    expect(new Set(ids).size).toBe(answers.length)
    for (const id of ids) expect(id).toMatch(/^req_\w+$/)
    for (const { headers } of answers) expect(headers.get('x-content-type-options')).toBe('nosniff')
  })

  test('an email of every shape that mail has is one', async () => {
    for (const local of ['a.b', 'a+tag', "o'neil", '0', 'a_b-c']) {
      const email = `${local}${unique('')}@sub.example-host.museum`
      const body = { email, name: 'n', password: 'long enough' }
      expect((await api(server, 'POST', '/api/v1/auth/register', { body })).status, email).toBe(201)
    }
  })
})
