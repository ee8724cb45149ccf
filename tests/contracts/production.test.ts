/** A server in a process with NODE_ENV=production, because Elysia reads NODE_ENV only when it is loaded. */
import { afterAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { api } from '../support/api.ts'
import {
  BAD_BODIES,
  expectRefusal,
  expectUnderstoodOrRefused,
  ODD_QUERIES,
  RECOGNISABLE,
} from '../support/bad-requests.ts'
import { unique } from '../support/factories.ts'
import { codeIn, mailIn } from '../support/mail.ts'
import { eventually, ServerProcess } from '../support/process.ts'
import { freshParts } from '../support/server.ts'
import { expectFactoryError, expectLearningError, expectWithout } from '../support/shapes.ts'

const PASSWORD = 'S3cret-Of-A-User'
const parts = await freshParts()
const server = await ServerProcess.start({
  ...parts.env,
  NODE_ENV: 'production',
  JWT_SECRET: 'S3cret-that-signs-tokens-in-production',
  LOG_LEVEL: 'info',
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await parts.remove()
})

const signUp = async () => {
  const body = { email: `${unique('p')}@example.com`, password: PASSWORD }
  const answer = await api(server, 'POST', '/api/auth/register', { body })
  expect(answer.status).toBe(201)
  return answer.body.access_token as string
}

test('it says so', async () => {
  expect((await api(server, 'GET', '/health')).body).toMatchObject({
    status: 'healthy',
    environment: 'production',
  })
})

test.each(Object.entries(BAD_BODIES))('%s is refused by both registrations', async (_, bad) => {
  await expectRefusal(server.url, '/api/auth/register', bad)
  await expectRefusal(server.url, '/api/v1/auth/register', bad)
})

test('odd queries are understood or refused', async () => {
  const token = await signUp()
  for (const text of ODD_QUERIES) await expectUnderstoodOrRefused(server.url, token, text)
})

test('fields, ids, paths, methods and strangers are answered as in development', async () => {
  const token = await signUp()
  const invalid = { status: 422, code: 'VALIDATION_ERROR' }
  const ask = (method: string, path: string, body?: unknown) => api(server, method, path, { token, body })
  const task = { title: 't', task_type: 'test' }
  expectFactoryError(await ask('POST', '/api/tasks', { ...task, priority: 11 }), {
    ...invalid,
    fields: ['priority'],
  })
  expectFactoryError(await ask('GET', '/api/tasks?page=0'), { ...invalid, fields: ['page'] })
  expectFactoryError(await ask('POST', '/api/tasks', {}), { ...invalid, fields: ['task_type'] })
  for (const id of ['0', '999999999', '01920000-0000-7000-8000-000000000000', 'nonsense', '%00', '..%2fx']) {
    expectFactoryError(await ask('GET', `/api/tasks/${id}`), { status: 404, code: 'RESOURCE_NOT_FOUND' })
  }
  expectFactoryError(await ask('GET', '/api/x'), { status: 404, code: 'RESOURCE_NOT_FOUND' })
  expectFactoryError(await ask('PATCH', '/api/tasks'), { status: 405, code: 'METHOD_NOT_ALLOWED' })
  expectFactoryError(await ask('GET', '/api/admin/users'), { status: 403, code: 'ACCESS_DENIED' })
  expectFactoryError(await api(server, 'GET', '/api/tasks'), { status: 401, code: 'INVALID_CREDENTIALS' })
  expectLearningError(await api(server, 'GET', '/api/v1/auth/me'), { status: 401, code: 'UNAUTHORIZED' })
  const body = { email: 'x', name: '', password: RECOGNISABLE }
  const registration = await api(server, 'POST', '/api/v1/auth/register', { body })
  expectLearningError(registration, { ...invalid, fields: ['email', 'name'] })
  expectWithout(registration, RECOGNISABLE)
})

test('what it logged has no password, no token and no secret, and no error that nobody expected', async () => {
  const token = await signUp()
  await api(server, 'GET', '/api/users/me', { token })
  await fetch(`${server.url}/api/x?token=${token}`)
  await api(server, 'POST', '/api/auth/login', {
    body: { email: 'nobody@example.com', password: RECOGNISABLE },
  })
  const email = `${unique('m')}@example.com`
  const verifications = '/api/v1/auth/verifications'
  const signup = { username: unique('m'), email, password: PASSWORD }
  expect((await api(server, 'POST', verifications, { body: signup })).status).toBe(202)
  const code = codeIn(await mailIn(join(parts.env.DATA_DIR!, 'outbox'), email))
  const verified = await api(server, 'POST', `${verifications}/verify`, { body: { email, token: code } })
  expect(verified.status).toBe(200)
  // The logger writes its lines in batches, every tenth of a second.
  await eventually(() => server.output.includes('"path":"/api/auth/login","status":401'), 'the log')
  expect(server.output).toContain('"path":"/api/…","status":404')
  for (const secret of [
    verified.body.access_token,
    `"${code}"`,
    PASSWORD,
    RECOGNISABLE,
    token,
    'S3cret-that-signs',
    'admin123',
    '@example.com',
  ]) {
    expect(server.output).not.toContain(secret)
  }
  expect(server.complaints).toEqual([])
})
