/** The document describes every answer to any request: status, content type and body. */
import { afterAll, describe, test } from 'bun:test'
import { api } from '../../support/api.ts'
import { makeUser } from '../../support/factories.ts'
import { type DocumentedRoute, documentedRoutes } from '../../support/openapi.ts'
import { Random } from '../../support/random.ts'
import { startServer } from '../../support/server.ts'

const REQUESTS = 16
const server = await startServer()
afterAll(() => server.stop())
const random = Random.announced('fuzz of the documented routes')

const [user, admin, expired, inactive] = await Promise.all([
  makeUser(server),
  makeUser(server, { role: 'super_admin' }),
  makeUser(server, { minutes: -1 }),
  makeUser(server, { isActive: false }),
])
const TOKENS = [
  undefined,
  'nonsense',
  expired.token,
  inactive.token,
  user.token,
  admin.token,
  admin.token,
  admin.token,
]
const IDS = [
  '1',
  '0',
  '-1',
  '01920000-0000-7000-8000-000000000000',
  'x',
  '%00',
  '%ff',
  '🦉',
  'x'.repeat(300),
  '99999999999999999999',
  '1.5',
  'null',
  "'",
]
const VALUES = [
  null,
  true,
  0,
  -1,
  1.5,
  1e300,
  '',
  ' ',
  'x',
  '0',
  '🦉',
  'x'.repeat(3000),
  [],
  [null],
  {},
  { a: 1 },
  '2030-13-45T99:99:99Z',
  'a@b',
]
const TEXTS = [
  '',
  'null',
  '[]',
  '"x"',
  '{',
  '{"a":}',
  '\0',
  '{"a":"\\u0000"}',
  '{"a":"\\ud800"}',
  `{"a":"${'x'.repeat(1_100_000)}"}`,
]
const TYPES = [
  'application/json',
  'application/json; charset=utf-16',
  'text/plain',
  'multipart/form-data; boundary=x',
  'x',
]

/** The example with one mistake, or a body that is no JSON. */
function bodyOf(chance: Random, { operation }: DocumentedRoute) {
  const example = operation.requestBody?.content['application/json']?.example as
    | Record<string, unknown>
    | undefined
  if (!operation.requestBody && chance.chance(0.7)) return {}
  if (!example || chance.chance(0.3)) {
    return { raw: chance.pick(TEXTS), headers: { 'content-type': chance.pick(TYPES) } }
  }
  const body: Record<string, unknown> = { ...example }
  const field = chance.pick([...Object.keys(body), '__proto__', 'unknown'])
  if (chance.chance(0.3)) delete body[field]
  else
    Object.defineProperty(body, field, { value: chance.pick(VALUES), enumerable: true, configurable: true })
  return { body }
}

function pathOf(chance: Random, { path, operation }: DocumentedRoute): string {
  const filled = path.replace(/\{\w+\}/g, () => chance.pick(IDS))
  const names = (operation.parameters ?? []).filter((one) => one.in === 'query').map((one) => one.name)
  const query = [...names, 'unknown']
    .filter(() => chance.chance(0.4))
    .map(
      (name) =>
        `${name}=${encodeURIComponent(String(chance.pick(VALUES)))}${chance.pick(['', '', '%00', '%ff'])}`,
    )
  return query.length > 0 ? `${filled}?${query.join('&')}` : filled
}

describe('what is answered is documented', () => {
  test.each(
    documentedRoutes().map((route) => [`${route.method} ${route.path}`, route, random.fork()] as const),
  )('%s', async (_, route, chance) => {
    for (let n = 0; n < REQUESTS; n++) {
      const body = route.method === 'GET' ? {} : bodyOf(chance, route)
      // `api` compares the answer with the document.
      await api(server, route.method, pathOf(chance, route), { token: chance.pick(TOKENS), ...body })
    }
  })
})
