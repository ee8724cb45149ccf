/** Who may call which route. The tests read the routes from the app, so a new route is tested without a change here. */
import { afterAll, describe, expect, test } from 'bun:test'
import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { may, ROLES } from '../../src/core/accounts/permissions.ts'
import { type Answer, api } from '../support/api.ts'
import { fill, mountedRoutes } from '../support/described.ts'
import { makeNode, makeTask, makeUser } from '../support/factories.ts'
import { routeOf } from '../support/openapi.ts'
import { startServer } from '../support/server.ts'
import {
  expectFactoryError,
  expectLearningError,
  expectPortfolioError,
  expectProblem,
  expectRuntimeError,
  expectWithout,
} from '../support/shapes.ts'

const server = await startServer()
afterAll(() => server.stop())

/** All that anybody may call. A route without `auth` that is not in this list fails the first test. */
const PUBLIC = [
  // For load balancers and monitoring.
  'GET /health',
  'GET /ready',
  'GET /api/v1/health',
  'GET /api/v1/health/db',
  'GET /api/v1/infra/health',
  // Checks its caller by itself, because the scrape token is no user's: tests/http/metrics.test.ts.
  'GET /metrics',
  // To get a session, or to end it by its refresh token.
  'POST /api/auth/register',
  'POST /api/auth/login',
  'POST /api/auth/forgot-password',
  'POST /api/auth/reset-password',
  'POST /api/v1/auth/register',
  'POST /api/v1/auth/login',
  'POST /api/v1/auth/refresh',
  'POST /api/v1/auth/verifications',
  'POST /api/v1/auth/verifications/resend',
  'POST /api/v1/auth/verifications/verify',
  'POST /api/v1/auth/sessions',
  'POST /api/v1/auth/sessions/refresh',
  'DELETE /api/v1/auth/sessions',
  'POST /api/v1/auth/password-reset',
  'POST /api/v1/auth/password-reset/confirm',
  'POST /v1/auth/login',
  'POST /v1/auth/refresh',
  // Everybody may see published, public photos.
  'GET /v1/photos',
  'GET /v1/photos/:id',
  'GET /v1/photos/search',
  // What a viewer may not see is neither shown nor counted.
  'GET /v1/categories',
  'GET /v1/categories/:id',
  'GET /v1/categories/:id/photos',
  'GET /v1/tags',
  'GET /v1/tags/suggestions',
  'GET /v1/tags/cloud',
  'GET /v1/tags/trending',
  'GET /v1/tags/:id',
  // What only administrators may read of them, the route leaves out.
  'GET /v1/settings',
  'GET /v1/timeline',
  'GET /v1/timeline/:year/:month',
  'GET /v1/timeline/events/:id',
  // Everybody may see active materials; hidden ones need a token, which these routes check themselves.
  'GET /api/v1/materials',
  'GET /api/v1/materials/:material_id',
  'GET /files/*',
  // The page and what it is made of.
  'GET /assets/:name',
  // The address is the secret.
  'GET /api/v1/schedule-items.ics',
  // The documentation.
  'GET /',
  'GET /api/docs',
  'GET /api/docs/json',
  'GET /api/docs/live',
  'GET /api/docs/live/json',
  'GET /api/docs/live.css',
  'GET /api/docs/live.js',
  'GET /api/docs/learning/json',
  'GET /api/docs/portfolio/json',
  'GET /api/docs/study/json',
  'GET /api/docs/runtime/json',
  'GET /api/docs/factory/json',
  'GET /api/docs/swagger-ui.css',
  'GET /api/docs/swagger-ui-bundle.js',
  'GET /api/docs/swagger-ui-standalone-preset.js',
  // A client signs in on the socket.
  'GET /ws/connect',
  'GET /api/ws/connect',
  'GET /ws/node',
]
const SOMEWHERE = '01920000-0000-7000-8000-000000000000'
const routes = mountedRoutes().map((route) => ({ ...route, key: `${route.method} ${route.path}` }))
const guarded = routes.filter(({ auth, nodeAuth }) => auth || nodeAuth)
/** The routes that need a permission, with the permission. */
const permitted = guarded.flatMap(({ key, auth, nodeAuth }) => {
  const permission = nodeAuth ?? auth
  return typeof permission === 'string' ? [{ key, permission }] : []
})
/** Routes of study and factory, which take any text for an id. */
const withId = guarded.filter(({ path }) => path.includes(':') && /^\/api\/(?!v1\/)/.test(path))

const ask = (key: string, id: string, token?: string, headers: Record<string, string> = {}) => {
  const [method = '', path = ''] = key.split(' ')
  return api(server, method, fill(path, id), {
    token,
    body: method === 'GET' ? undefined : {},
    headers,
  })
}
const contractOf = new Map(routes.map(({ key, detail }) => [key, detail.tags?.[0]?.split(':')[0]]))
const SIGNED_OUT = {
  status: 401,
  factory: 'INVALID_CREDENTIALS',
  v1: 'UNAUTHORIZED',
  portfolio: 'AUTHENTICATION_REQUIRED',
}
const FORBIDDEN = { status: 403, factory: 'ACCESS_DENIED', v1: 'FORBIDDEN', portfolio: 'PERMISSION_DENIED' }
/** Expects an error in the form of the route's contract; the contracts under `/api/v1` have the same codes. */
function refused(key: string, answer: Answer, error: typeof SIGNED_OUT) {
  const { status } = error
  if (key.includes(' /v1/')) expectPortfolioError(answer, { status, code: error.portfolio })
  else if (key.endsWith(' /mcp')) expectProblem(answer, status)
  else if (!key.includes(' /api/v1/')) expectFactoryError(answer, { status, code: error.factory })
  else if (contractOf.get(key) === 'runtime') expectRuntimeError(answer, { status, code: error.v1 })
  else expectLearningError(answer, { status, code: error.v1 })
}

/** The statuses of somebody who may call a route, for an id that nothing has and an empty body. */
const passed = (key: string) =>
  key.includes(' /v1/') ? [200, 201, 204, 400, 404, 415] : [200, 201, 404, 422]

test('no route is open to everybody but those of the list', () => {
  const open = routes.filter((route) => !guarded.includes(route)).map(({ key }) => key)
  expect(open.sort()).toEqual(PUBLIC.toSorted())
})

describe('signed out', () => {
  test.each(guarded.map(({ key }) => key))(
    '%s: 401, before anything is said about the input',
    async (key) => {
      const answer = await ask(key, SOMEWHERE)
      refused(key, answer, SIGNED_OUT)
      expectWithout(answer, 'field_errors')
    },
  )

  test.each([
    ['nonsense', 'Bearer nonsense'],
    ['an empty token', 'Bearer '],
    ['basic auth', `Basic ${btoa('admin@example.com:admin123')}`],
    ['the scheme alone', 'Bearer'],
    ['a very long token', `Bearer ${'a.'.repeat(3000)}`],
  ])('%s does not get in', async (_, authorization) => {
    for (const key of ['GET /api/users/me', 'GET /api/v1/auth/me']) {
      const answer = await ask(key, '', undefined, { authorization })
      expect(answer.status).toBe(401)
      if (authorization.length > 20) expectWithout(answer, authorization.slice(-12))
    }
  })

  test('the scheme is read in any case (RFC 9110, 11.1)', async () => {
    const { token } = await makeUser(server)
    expect((await ask('GET /api/users/me', '', undefined, { authorization: `bearer ${token}` })).status).toBe(
      200,
    )
  })
})

describe('forbidden', () => {
  // A refused request changes nothing, and those that pass have an id that nothing has: each role needs one user only.
  const byRole = new Map(ROLES.map((role) => [role, makeUser(server, { role })]))

  test.each(permitted)('$key: 403 for every role without $permission, and for no other', async (route) => {
    for (const role of ROLES) {
      const answer = await ask(route.key, SOMEWHERE, (await byRole.get(role))!.token)
      if (may(role, route.permission)) expect(passed(route.key)).toContain(answer.status)
      else refused(route.key, answer, FORBIDDEN)
    }
  })

  test('a permission keeps somebody out', () => {
    for (const { key, permission } of permitted) expect(may('user', permission), key).toBe(false)
    expect(permitted.length).toBeGreaterThanOrEqual(17)
  })

  test('what needs no permission is open to every user', async () => {
    for (const { key } of guarded.filter(({ auth }) => auth === true)) {
      const { token } = await makeUser(server)
      expect((await ask(key, SOMEWHERE, token)).status, key).not.toBe(403)
    }
  })
})

describe('ids that nothing has', () => {
  const IDS = [
    SOMEWHERE,
    SOMEWHERE.toUpperCase(),
    SOMEWHERE.slice(1),
    `${SOMEWHERE}0`,
    '00000000-0000-0000-0000-000000000000',
    'x'.repeat(65),
    'x'.repeat(5000),
    "'%20or%201=1--",
  ].concat(
    '0 -1 999999999 2147483648 99999999999999999999 1.5 1e3 +1 01 0x1 NaN'.split(' '),
    'nonsense null undefined __proto__ constructor * ١ 🦉'.split(' '),
    '%00 a%00b %20 % %E0%A4%A %ff ..%2fx %2e%2e%2f%2e%2e%2fx'.split(' '),
  )
  /** One for each kind of id in the portfolio's paths. */
  const KINDS = [
    '999999999',
    'upload_999999999',
    'chunked_999999999',
    `msg_${Bun.randomUUIDv7().replaceAll('-', '')}`,
    Bun.randomUUIDv7(),
  ]
  const decoded = (id: string) => {
    try {
      return decodeURIComponent(id)
    } catch {
      return id
    }
  }
  const administrator = makeUser(server, { role: 'super_admin' })

  test.each(withId.map(({ key }) => key))('%s: 404 for every one of them', async (key) => {
    const { token } = await administrator
    for (const id of IDS) {
      const answer = await ask(key, id, token)
      expect(answer.status, `${key} with ${id.slice(0, 80)}: ${answer.text.slice(0, 200)}`).toBe(404)
      expectFactoryError(answer, { status: 404, code: 'RESOURCE_NOT_FOUND' })
    }
  })

  const portfolio = routes.filter(({ path }) => /^\/v1\/.*:(\w+_)?id\b/.test(path))
  test.each(portfolio.map(({ key, path, hooks }) => [key, path, hooks.params as TSchema] as const))(
    '%s: 400 for what is no id of this kind, 404 for what is one',
    async (key, path, params) => {
      const { token } = await administrator
      const [method = ''] = key.split(' ')
      const content = routeOf(method, path)?.operation.requestBody?.content ?? {}
      const body = content['application/json']?.example
      const names = Object.keys(params.properties).filter((name) => /^(\w+_)?id$/.test(name))
      const fits = (name: string, id: string) => Value.Check(params.properties[name], decoded(id))
      const sample = (name: string) => [...KINDS, '1'].find((id) => fits(name, id))!
      for (const name of names) {
        const met = new Set<number>()
        for (const id of [...IDS, ...KINDS]) {
          // The first administrator.
          if (path.startsWith('/v1/users/') && name === 'id' && Number(id) === 1) continue
          const filled = path.replace(/:(\w+)/g, (_, other) => (other === name ? id : sample(other)))
          const answer = await api(server, method, filled, { token, ...(body !== undefined && { body }) })
          const [status, code] = fits(name, id) ? [404, 'RESOURCE_NOT_FOUND'] : [400, 'VALIDATION_ERROR']
          expect(answer.status, `${key} with ${id.slice(0, 80)}: ${answer.text.slice(0, 200)}`).toBe(status)
          if (method !== 'HEAD') expectPortfolioError(answer, { status, code })
          met.add(status)
        }
        expect([...met].sort(), name).toEqual([400, 404])
      }
    },
  )

  test('a path that climbs out of its collection is another path', async () => {
    const { token } = await makeUser(server)
    const answer = await fetch(`${server.url}/api/tasks/../users/me`, {
      headers: { authorization: `Bearer ${token}` },
    })
    expect(answer.status).toBe(200)
    expect((await fetch(`${server.url}/api/tasks/../x`)).status).toBe(404)
  })
})

describe("somebody else's", () => {
  test('task does not exist for another user, by either id; for administrators it does', async () => {
    const owner = await makeUser(server)
    const stranger = await makeUser(server, { role: 'editor' })
    const admin = await makeUser(server, { role: 'admin' })
    const task = await makeTask(server, owner, { title: 'a private title' })
    for (const { key } of withId.filter(({ path }) => path.startsWith('/api/tasks/'))) {
      for (const id of [String(task.id), task.uuid]) {
        const answer = await ask(key, id, stranger.token)
        expectFactoryError(answer, { status: 404, code: 'RESOURCE_NOT_FOUND' })
        expectWithout(answer, task.title, owner.user.email, owner.user.uuid)
      }
    }
    const list = await api(server, 'GET', '/api/tasks', { token: stranger.token })
    expect(list.body.total).toBe(0)
    expect((await ask('GET /api/tasks/:id', task.uuid, admin.token)).body.data.title).toBe(task.title)
  })

  test("node token is nobody's access token, and an access token no node's", async () => {
    const node = await makeNode(server)
    for (const key of ['GET /api/users/me', 'GET /api/gpu/servers', 'GET /api/v1/auth/me']) {
      expect((await ask(key, '', node.token)).status).toBe(401)
    }
    const { token } = await makeUser(server)
    const beat = await ask('POST /api/gpu/servers/:server_id/heartbeat', node.node.uuid, token)
    expectFactoryError(beat, { status: 403, code: 'ACCESS_DENIED' })
  })
})
