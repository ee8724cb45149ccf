/** JSON keys that are also properties of every JavaScript object, such as `constructor`, are ordinary keys. */
import { afterAll, describe, expect, test } from 'bun:test'
import { api } from '../support/api.ts'
import { makeUser } from '../support/factories.ts'
import { startServer } from '../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())

const INHERITED = Object.getOwnPropertyNames(Object.prototype)
/** Text, because `__proto__` in an object literal sets the prototype. */
const withKey = (key: string, rest: string) => `{${JSON.stringify(key)}:1,${rest}}`
const post = (path: string, raw: string, token?: string) => api(server, 'POST', path, { raw, token })

describe.each(INHERITED)('the key %s', (key) => {
  test('is ignored, as every unknown key of a body is', async () => {
    const answer = await post(
      '/api/auth/login',
      withKey(key, '"email":"admin@example.com","password":"admin123"'),
    )
    expect(answer.status).toBe(200)
  })

  test('is kept in what is the client’s own', async () => {
    const { token } = await makeUser(server)
    const body = `{"title":"t","task_type":"test","config":${withKey(key, '"steps":1')}}`
    const answer = await post('/api/tasks', body, token)
    expect(answer.status).toBe(201)
    expect(answer.text).toContain(withKey(key, '"steps":1'))
  })

  test('changes nothing in a query', async () => {
    const { token } = await makeUser(server)
    expect((await api(server, 'GET', `/api/tasks?${key}=1`, { token })).status).toBe(200)
  })
})

describe('what is wrong with a body', () => {
  const WEBHOOK = { url: 'https://example.com/', events: ['task.created'] }
  const create = async (fields: object) => {
    const { token } = await makeUser(server)
    return api(server, 'POST', '/v1/webhooks', { token, body: { ...WEBHOOK, ...fields } })
  }

  test('lengths are those of JSON Schema: an emoji is one character', async () => {
    expect((await create({ description: '😀'.repeat(500) })).status).toBe(201)
    const long = await create({ description: '😀'.repeat(501) })
    expect([long.status, long.text]).toEqual([
      400,
      expect.stringContaining('may have at most 500 characters'),
    ])
    // Two units of UTF-16, and one character of at least eight.
    expect((await create({ secret: '😀'.repeat(7) })).status).toBe(400)
    expect((await create({ secret: '😀'.repeat(8) })).status).toBe(201)
  })

  test('one item is an item', async () => {
    expect((await create({ events: [] })).text).toContain('needs at least 1 item"')
  })

  test('a character that cannot be stored is in its field', async () => {
    const answer = await create({ description: 'a\0b', events: ['task.created', '\ud800'] })
    const fields = answer.body.error.details.map(({ field }: { field: string }) => field)
    expect([answer.status, fields]).toEqual([400, ['events.1', 'description']])
  })

  test('of another type: the answer says what to send', async () => {
    const { token } = await makeUser(server)
    const headers = { 'content-type': 'text/plain' }
    for (const rest of [{ headers }, {}]) {
      const answer = await api(server, 'POST', '/v1/webhooks', { token, raw: '["x"]', ...rest })
      expect([answer.status, answer.text]).toEqual([
        400,
        expect.stringContaining('must be a JSON object, sent with Content-Type: application/json'),
      ])
    }
  })
})
