/** Protects what clients are told of a route that will end. */
import { afterAll, describe, expect, test } from 'bun:test'
import { createApp } from '../../src/app.ts'
import { DEPRECATIONS, RouteFields } from '../../src/http/deprecations.ts'
import { hollowApp } from '../support/hollow.ts'
import { openApiOf } from '../support/openapi.ts'
import { startServer } from '../support/server.ts'

const profile = {
  route: 'GET /v1/auth/profile',
  since: '2026-01-15T00:00:00Z',
  sunset: '2027-01-15T00:00:00Z',
  successor: '/v2/auth/profile',
  page: 'https://example.com/v2',
}
const table = [
  profile,
  { route: 'GET /health', since: '2026-01-15T12:00:00.500Z' },
  { route: 'PUT /v1/photos/:id', since: '2026-01-15T00:00:00Z' },
]
const server = await startServer()
afterAll(() => server.stop())
const app = createApp(server.ctx, table)

const ask = (path: string, init?: RequestInit) => app.handle(new Request(`http://localhost${path}`, init))
const FIELDS = ['api-version', 'api-deprecated', 'api-sunset', 'deprecation', 'sunset', 'link']
const fieldsOf = ({ headers }: Response) =>
  Object.fromEntries(FIELDS.map((name) => [name, headers.get(name)]).filter(([, value]) => value !== null))

describe('a deprecated route', () => {
  test('says so in its errors: since when, until when, and what takes its place', async () => {
    const answer = await ask('/v1/auth/profile')
    expect(answer.status).toBe(401)
    expect(fieldsOf(answer)).toEqual({
      'api-version': '1.0',
      'api-deprecated': 'true',
      'api-sunset': '2027-01-15T00:00:00Z',
      deprecation: '@1768435200',
      sunset: 'Fri, 15 Jan 2027 00:00:00 GMT',
      link: '<https://example.com/v2>; rel="deprecation"; type="text/html", </v2/auth/profile>; rel="successor-version"',
    })
  })

  test('says so in its successes, without a sunset as long as none is decided', async () => {
    const answer = await ask('/health')
    expect(answer.status).toBe(200)
    expect(fieldsOf(answer)).toEqual({ 'api-deprecated': 'true', deprecation: '@1768478400' })
  })

  test('is known by its pattern, whatever the path names, and for its method alone', async () => {
    for (const id of ['1', 'none'])
      expect(fieldsOf(await ask(`/v1/photos/${id}`, { method: 'PUT' }))['api-deprecated']).toBe('true')
    expect(fieldsOf(await ask('/v1/photos/none', { method: 'DELETE' }))).toEqual({
      'api-version': '1.0',
      'api-deprecated': 'false',
    })
  })

  test('is marked in the OpenAPI document, and no other route is', () => {
    const { paths } = openApiOf(app, new RouteFields(table)).all
    const marked = Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item)
        .filter(([, { deprecated }]) => deprecated)
        .map(([method]) => `${method} ${path}`),
    )
    expect(marked.sort()).toEqual(['get /health', 'get /v1/auth/profile', 'put /v1/photos/{id}'])
  })
})

describe('without deprecated routes', () => {
  const plain = hollowApp()

  test('the portfolio says that a route is not deprecated, and other contracts say nothing', async () => {
    const [photos, other] = await Promise.all(
      ['/v1/auth/profile', '/api/v1/nowhere'].map((path) =>
        plain.handle(new Request(`http://localhost${path}`)),
      ),
    )
    expect(fieldsOf(photos!)).toEqual({ 'api-version': '1.0', 'api-deprecated': 'false' })
    expect(fieldsOf(other!)).toEqual({})
  })
})

test('a table that names no route stops the start', () => {
  expect(() => hollowApp({}, [{ ...profile, route: 'GET /v1/auth/profil' }])).toThrow('GET /v1/auth/profil')
  expect(() => hollowApp({}, DEPRECATIONS)).not.toThrow()
})
