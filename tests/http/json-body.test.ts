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
