/** Paths and methods that no route has: docs/design.md, "Unmatched paths". */
import { afterAll, describe, expect, test } from 'bun:test'
import { type Answer, api } from '../support/api.ts'
import { fill, mountedRoutes, pattern } from '../support/described.ts'
import { makeUser } from '../support/factories.ts'
import { startServer } from '../support/server.ts'
import { expectFactoryError, expectLearningError, expectNoInternals, misfits } from '../support/shapes.ts'

const server = await startServer()
afterAll(() => server.stop())

const PROBLEM = 'application/problem+json'
type Form = 'portfolio' | 'merged' | 'factory' | 'problem'

function expectForm(answer: Answer, form: Form, status: 404 | 405, path: string): void {
  const missing = status === 404
  if (form === 'factory') {
    return expectFactoryError(answer, { status, code: missing ? 'RESOURCE_NOT_FOUND' : 'METHOD_NOT_ALLOWED' })
  }
  if (form === 'merged') {
    expectLearningError(answer, { status, code: missing ? 'NOT_FOUND' : 'METHOD_NOT_ALLOWED' }, PROBLEM)
    return expect(answer.body.instance).toBe(path)
  }
  expect(answer.status).toBe(status)
  expectNoInternals(answer)
  if (form === 'problem') {
    expect(answer.headers.get('content-type')).toBe(PROBLEM)
    return expect(answer.body).toEqual({
      type: 'about:blank',
      title: missing ? 'Not Found' : 'Method Not Allowed',
      status,
      detail: expect.any(String),
      instance: path,
    })
  }
  expect(answer.headers.get('content-type')).toBe('application/json')
  expect(
    misfits(answer.body, {
      success: 'false',
      code: 'integer',
      message: 'string',
      error: { type: 'string', details: 'object' },
      meta: { timestamp: 'instant', request_id: 'string' },
    }),
  ).toEqual([])
  expect(answer.body).toMatchObject({
    code: status,
    error: { type: missing ? 'RESOURCE_NOT_FOUND' : 'METHOD_NOT_ALLOWED' },
  })
}

const NOWHERE: [string, Form][] = [
  ...['/v1/x', '/v1', '/v1/', '/v1/photos/1/x', '/v1/photos/1//'].map(
    (path) => [path, 'portfolio'] as [string, Form],
  ),
  ...['/api/v1/x', '/api/v1', '/api/v1/', '/api/v1/auth', '/api/v1/auth/me/x'].map(
    (path) => [path, 'merged'] as [string, Form],
  ),
  ...['/api/x', '/api', '/api/', '/api/v1x', '/api/v2/x', '/api/tasks/1/x', '/api/docs/x', '/api//tasks'].map(
    (path) => [path, 'factory'] as [string, Form],
  ),
  ...[
    '/x',
    '/v1x',
    '/apix',
    '/API/tasks',
    '/favicon.ico',
    '/.env',
    '/health/x',
    '/ws/x',
    '/ws',
    '/__proto__',
    '/%',
  ].map((path) => [path, 'problem'] as [string, Form]),
]

describe('a path that there is not', () => {
  test.each(NOWHERE)('%s: 404 in the form of %s, whatever the method', async (path, form) => {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      expectForm(await api(server, method, path), form, 404, path)
    }
    const head = await api(server, 'HEAD', path)
    expect([head.status, head.text]).toEqual([404, ''])
  })

  test('is told with its query left out, which may hold a token', async () => {
    for (const path of ['/x', '/api/x', '/api/v1/x', '/v1/x']) {
      const answer = await api(server, 'GET', `${path}?token=S3cret`)
      expect(answer.text).not.toContain('S3cret')
    }
  })
})

const ID = '01920000-0000-7000-8000-000000000000'
const METHODS: [string, string, string, Form][] = [
  ['GET', '/api/auth/login', 'POST, OPTIONS', 'factory'],
  ['DELETE', '/api/tasks', 'GET, HEAD, POST, OPTIONS', 'factory'],
  ['DELETE', '/api/tasks/', 'GET, HEAD, POST, OPTIONS', 'factory'],
  ['PUT', `/api/tasks/${ID}`, 'GET, HEAD, DELETE, OPTIONS', 'factory'],
  ['PATCH', '/api/tasks/5', 'GET, HEAD, DELETE, OPTIONS', 'factory'],
  ['GET', '/api/tasks/5/cancel', 'POST, OPTIONS', 'factory'],
  ['POST', `/api/gpu/servers/${ID}`, 'GET, HEAD, PUT, DELETE, OPTIONS', 'factory'],
  ['POST', '/api/admin/users/1', 'GET, HEAD, PUT, DELETE, OPTIONS', 'factory'],
  ['POST', '/api/users/me', 'GET, HEAD, PUT, OPTIONS', 'factory'],
  ['POST', '/api/ws/connect', 'GET, HEAD, OPTIONS', 'factory'],
  ['GET', '/api/v1/auth/login', 'POST, OPTIONS', 'merged'],
  ['PUT', '/api/v1/auth/me', 'GET, HEAD, OPTIONS', 'merged'],
  ['POST', '/health', 'GET, HEAD, OPTIONS', 'problem'],
  // This is the first route of the app, whose index in the router is 0.
  ['DELETE', '/api/docs/json', 'GET, HEAD, OPTIONS', 'factory'],
  ['DELETE', '/ws/connect', 'GET, HEAD, OPTIONS', 'problem'],
]

describe('a method that a path does not have', () => {
  test.each(METHODS)('%s %s: 405, Allow: %s', async (method, path, allow, form) => {
    const answer = await api(server, method, path)
    expectForm(answer, form, 405, path)
    expect(answer.headers.get('allow')).toBe(allow)
  })

  test('OPTIONS says what there is', async () => {
    const answer = await api(server, 'OPTIONS', '/api/tasks/5')
    expect([answer.status, answer.text]).toEqual([204, ''])
    expect(answer.headers.get('allow')).toBe('GET, HEAD, DELETE, OPTIONS')
  })

  test('every path tells exactly the methods that it answers', async () => {
    const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']
    const routes = mountedRoutes().filter(({ method }) => methods.includes(method))
    const paths = new Set(routes.map(({ path }) => path))
    expect(paths.size).toBeGreaterThan(50)
    for (const path of paths) {
      // A path with a parameter may match a fixed path too.
      const own = routes
        .filter((route) => route.path === path || pattern(route.path).test(path))
        .map(({ method }) => method)
      const answered = methods.filter((m) => own.includes(m) || (m === 'HEAD' && own.includes('GET')))
      const answer = await api(server, 'OPTIONS', fill(path, '5'))
      expect(answer.headers.get('allow'), path).toBe([...answered, 'OPTIONS'].join(', '))
    }
  })

  test('one that HTTP does not know is refused, not answered as another', async () => {
    const answer = await api(server, 'PROPFIND', '/api/tasks')
    expectForm(answer, 'factory', 405, '/api/tasks')
  })
})

describe('HEAD', () => {
  test('is GET without its body', async () => {
    const { token } = await makeUser(server)
    for (const path of ['/health', '/api/users/me', '/api/v1/auth/me', '/api/tasks', '/api/docs']) {
      const get = await api(server, 'GET', path, { token })
      const head = await api(server, 'HEAD', path, { token })
      expect([head.status, head.text], path).toEqual([200, ''])
      expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'))
    }
    const refused = await api(server, 'HEAD', '/api/users/me')
    expect([refused.status, refused.text]).toEqual([401, ''])
  })
})
