/** Protects docs/operations.md, "Maintenance mode". The routes are read from the app, so a new route is closed, and tested, too. */
import { afterAll, beforeAll, describe, expect, spyOn, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { type Answer, api } from '../support/api.ts'
import { fill, mountedRoutes } from '../support/described.ts'
import { makeNode, makeTask, makeUser } from '../support/factories.ts'
import { query, startServer } from '../support/server.ts'
import {
  expectFactoryError,
  expectLearningError,
  expectPortfolioError,
  expectProblem,
  expectRuntimeError,
} from '../support/shapes.ts'

const server = await startServer()
afterAll(() => server.stop())

/** What users may call in maintenance mode although its method is no read. Every other such route is closed. */
const OPEN = [
  // Signing in, refreshing and signing out, of all sessions too.
  'POST /api/auth/login',
  'POST /api/auth/logout',
  'POST /api/v1/auth/login',
  'POST /api/v1/auth/refresh',
  'POST /api/v1/auth/logout',
  'POST /api/v1/auth/sessions',
  'POST /api/v1/auth/sessions/refresh',
  'DELETE /api/v1/auth/sessions',
  'POST /v1/auth/login',
  'POST /v1/auth/refresh',
  'POST /v1/auth/logout',
  'DELETE /v1/users/:id/sessions',
  'DELETE /v1/users/:id/sessions/:session_id',
  // They only read.
  'POST /api/v1/users/search',
  'POST /api/ws/ticket',
  // Of nodes.
  'POST /api/gpu/servers/:server_id/heartbeat',
]
const SOMEWHERE = '01920000-0000-7000-8000-000000000000'
const routes = mountedRoutes().map((route) => ({ ...route, key: `${route.method} ${route.path}` }))
const writes = routes.filter(({ method }) => !['GET', 'HEAD', 'OPTIONS'].includes(method))
const closed = writes.filter(({ key }) => !OPEN.includes(key))

const admin = await makeUser(server, { role: 'super_admin' })
const user = await makeUser(server)
const setMode = (maintenance_mode: boolean) =>
  api(server, 'PUT', '/api/admin/config', { token: admin.token, body: { maintenance_mode } })
beforeAll(async () => {
  expect((await setMode(true)).status).toBe(200)
})

const ask = (key: string, token?: string) => {
  const [method = '', path = ''] = key.split(' ')
  return api(server, method, fill(path, SOMEWHERE), { token, ...(method !== 'GET' && { body: {} }) })
}

/** Each contract answers in its own form, and says when to come again. */
function refused({ key, detail }: (typeof routes)[number], answer: Answer) {
  const [contract] = detail.tags![0]!.split(':')
  if (contract === 'portfolio') expectPortfolioError(answer, { status: 503, code: 'SERVICE_UNAVAILABLE' })
  else if (contract === 'runtime') expectRuntimeError(answer, { status: 503, code: 'SERVICE_UNAVAILABLE' })
  else if (contract === 'learning') expectLearningError(answer, { status: 503, code: 'SERVICE_UNAVAILABLE' })
  else if (contract === 'operations') expectProblem(answer, 503)
  else expectFactoryError(answer, { status: 503, code: 'SERVER_UNAVAILABLE' })
  expect(Number(answer.headers.get('retry-after')), key).toBeGreaterThan(1)
  expect(answer.text).toMatch(/维护|maintenance/)
}

test('every open route exists', () => {
  expect(OPEN.filter((key) => !writes.some((route) => route.key === key))).toEqual([])
})

describe('a user', () => {
  test.each(closed.map((route) => [route.key, route] as const))('%s: 503', async (key, route) => {
    refused(route, await ask(key, user.token))
    // Nobody who is signed out can do more.
    refused(route, await ask(key))
  })

  test.each(OPEN.map((key) => [key]))('%s stays open', async (key) => {
    const { token } = await makeUser(server)
    expect((await ask(key, token)).status).not.toBe(503)
  })

  test('reads, signs in with the document’s request, and keeps the live channel', async () => {
    for (const path of [
      '/api/users/me',
      '/api/tasks',
      '/v1/photos',
      '/api/v1/materials',
      '/api/recharge/records',
    ])
      expect((await api(server, 'GET', path, { token: user.token })).status, path).toBe(200)
    const body = { email: user.user.email, password: user.password }
    expect((await api(server, 'POST', '/api/auth/login', { body })).status).toBe(200)
    expect((await api(server, 'POST', '/api/ws/ticket', { token: user.token })).status).toBe(200)
  })

  test('with an expired token is told so, because an administrator’s client has to refresh it', async () => {
    const { token } = await makeUser(server, { role: 'admin', minutes: -1 })
    const answer = await api(server, 'POST', '/api/tasks', { token, body: {} })
    expectFactoryError(answer, { status: 401, code: 'INVALID_CREDENTIALS' })
  })
})

test('administrators of both roles write', async () => {
  for (const { token } of [admin, await makeUser(server, { role: 'admin' })]) {
    const body = { title: 't', task_type: 'test' }
    expect((await api(server, 'POST', '/api/tasks', { token, body })).status).toBe(201)
  }
  const { token } = await makeUser(server, { role: 'editor' })
  expect((await ask('POST /api/tasks', token)).status).toBe(503)
})

test('a body is not read before the refusal', async () => {
  const answer = await api(server, 'POST', '/api/tasks', { token: user.token, raw: '{"title": ' })
  expectFactoryError(answer, { status: 503, code: 'SERVER_UNAVAILABLE' })
})

test('a write with a body is 503, and not invalid, while the database cannot tell the mode', async () => {
  const away = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
  const current = spyOn(server.ctx.services.settings.system, 'current').mockRejectedValue(away)
  const answer = await ask('POST /api/tasks', user.token)
  current.mockRestore()
  expectFactoryError(answer, { status: 503, code: 'SERVER_UNAVAILABLE' })
})

test('nodes go on, and what was refused has changed nothing', async () => {
  const { node, token } = await makeNode(server)
  const beat = { cpu_usage: 1, memory_usage: 1, gpus: [] }
  const path = `/api/gpu/servers/${node.uuid}/heartbeat`
  expect((await api(server, 'POST', path, { token, body: beat })).status).toBe(200)
  const [{ n }] = (await query(
    server,
    sql`select count(*)::int as n from tasks where user_id = ${user.user.id}`,
  )) as [{ n: number }]
  expect(n).toBe(0)
})

test('after it, users write again at once', async () => {
  const task = await makeTask(server, user)
  expect((await api(server, 'POST', `/api/tasks/${task.id}/cancel`, { token: user.token })).status).toBe(503)
  await setMode(false)
  expect((await api(server, 'POST', `/api/tasks/${task.id}/cancel`, { token: user.token })).status).toBe(200)
})
