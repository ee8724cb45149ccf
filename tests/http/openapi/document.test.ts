/** Rules for the whole OpenAPI document, for any routes. */
import { describe, expect, test } from 'bun:test'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { RouteFields } from '../../../src/http/deprecations.ts'
import { limitFields } from '../../../src/http/limit-fields.ts'
import { openApiDocuments } from '../../../src/http/openapi/document.ts'
import { EVENTS } from '../../../src/protocol/live/events.ts'
import { mountedRoutes } from '../../support/described.ts'
import { hollowApp } from '../../support/hollow.ts'
import { documented, documentedRoutes, documentsOfAll, validatorOf } from '../../support/openapi.ts'

const document = documented()
const operations = documentedRoutes().map((route) => ({ ...route, name: `${route.method} ${route.path}` }))
const SOCKETS = /^(\/api)?\/ws\/(connect|node)$/
const http = operations.filter(({ path }) => !SOCKETS.test(path))

type Schema = Record<string, unknown>
/** Every schema of the document, with its place in the document. */
function* schemasIn(value: unknown, place: string): Generator<[place: string, schema: Schema]> {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value) && isSchema(value as Schema)) yield [place, value as Schema]
  for (const [name, part] of Object.entries(value)) yield* schemasIn(part, `${place}.${name}`)
}
const isSchema = ({ type, $ref, anyOf, allOf, enum: values }: Schema) =>
  typeof type === 'string' ||
  Array.isArray(type) ||
  $ref !== undefined ||
  Array.isArray(anyOf ?? allOf ?? values)
const all = [...schemasIn(document.components.schemas, 'schemas'), ...schemasIn(document.paths, 'paths')]

describe('the document', () => {
  const { all: whole, contracts } = documentsOfAll()
  test.each(Object.entries({ all: whole, ...contracts }))(
    '%s is valid OpenAPI 3.1 with nothing that a linter minds',
    async (_, document) => {
      expect(document.openapi).toMatch(/^3\.1\.\d$/)
      const config = await createConfig({
        extends: ['recommended'],
        rules: {
          // Sockets answer 101, and routes of health have no 4xx. The tests of the operations below check both.
          'operation-2xx-response': 'off',
          'operation-4xx-response': 'off',
          // The portfolio's document has /upload/status/{file_id} and /upload/{file_id}/reprocess. No file has the id `status`.
          'no-ambiguous-paths': 'off',
          // The document names no licence.
          'info-license': 'off',
          'operation-operationId-url-safe': 'error',
          'no-unused-components': 'error',
          'spec-strict-refs': 'error',
        },
      })
      const source = JSON.stringify(document)
      const problems = await lintFromString({ source, absoluteRef: '/openapi.json', config })
      expect(
        problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer]),
      ).toEqual([])
    },
  )

  test('names the header fields of answers, and which of them are always there', () => {
    const fields = limitFields({ policy: 'p', limit: 1, remaining: 1, window: 1, seconds: 1, reset: 1 })
    const headersOf = (name: string, status: number) => {
      const [method, path] = name.split(' ') as [string, string]
      const { headers = {} } = document.paths[path]![method.toLowerCase()]!.responses[status]!
      return Object.entries(headers).map(([name, { $ref }]) => {
        const { required } = document.components.headers![$ref.replace('#/components/headers/', '')]!
        return required ? name : `${name}?`
      })
    }
    const limits = headersOf('GET /v1/photos', 200)
    expect(limits.map((name) => name.toLowerCase())).toEqual(Object.keys(fields).map((name) => `${name}?`))
    expect(headersOf('GET /v1/photos', 429)).toEqual(['Retry-After?', ...limits])
    expect(headersOf('GET /v1/photos/{id}', 304)).toEqual(['ETag', ...limits])
    expect(headersOf('GET /api/tasks', 200)).toEqual([])
    expect(headersOf('GET /api/tasks', 401)).toEqual(['WWW-Authenticate'])
    expect(headersOf('GET /ready', 503)).toEqual(['Retry-After'])
    expect(headersOf('POST /api/tasks', 201)).toEqual(['Idempotency-Replayed?'])
    expect(headersOf('GET /files/{file_path}', 416)).toEqual([
      'Accept-Ranges',
      'ETag',
      'Last-Modified',
      'Content-Range',
    ])
    expect(documentsOfAll().contracts.portfolio!.info.description).toContain('api-version, api-deprecated')
  })

  test('has the Idempotency-Key, and what it can lead to, where a route takes it', () => {
    const isKey = ({ in: place, name }: { in: string; name: string }) =>
      place === 'header' && name === 'Idempotency-Key'
    const keyed = operations.filter(({ operation }) => operation.parameters?.some(isKey))
    expect(keyed.length).toBeGreaterThanOrEqual(15)
    for (const { operation, name } of keyed) {
      expect(operation.responses[409]?.description, name).toContain('IDEMPOTENCY_KEY_IN_USE')
      expect(operation.responses[422]?.description, name).toContain('IDEMPOTENCY_KEY_REUSED')
    }
  })

  test('has every message that webhooks get: the events, and that of a test', () => {
    expect(Object.keys(document.webhooks!)).toEqual([...Object.keys(EVENTS), 'webhook.ping'])
  })

  test('is served as it is built, and names PUBLIC_URL as its server', async () => {
    const ask = async (env: Record<string, string>, path = '/api/docs/json') => {
      const answer = await hollowApp(env).handle(new Request(`http://localhost${path}`))
      expect(answer.headers.get('content-type')).toBe('application/json')
      return await answer.json()
    }
    expect(await ask({})).toEqual(document)
    for (const [name, one] of Object.entries(documentsOfAll().contracts))
      expect(await ask({}, `/api/docs/${name}/json`)).toEqual(one)
    expect(document.servers.map(({ url }) => url)).toEqual(['/'])
    const { servers } = (await ask({ PUBLIC_URL: 'https://roost.example' })) as typeof document
    expect(servers.map(({ url }) => url)).toEqual(['https://roost.example'])
  })

  test('is made in steps, none of which has more than one route, so that the server answers meanwhile', () => {
    const steps = [...openApiDocuments(hollowApp(), new RouteFields([]))]
    expect(steps.length).toBeGreaterThan(2 * documentedRoutes().length)
  })

  test('has every mounted route, but the documentation and the page', () => {
    const mounted = mountedRoutes()
      .filter(({ path }) => !/^\/($|api\/docs|assets\/)/.test(path))
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}').replace('*', '{file_path}')}`)
    expect(operations.map(({ name }) => name).sort()).toEqual(mounted.sort())
  })

  test('names every operation once, in words', () => {
    const ids = operations.map(({ operation }) => operation.operationId)
    expect(new Set(ids).size).toBe(ids.length)
    for (const id of ids)
      expect(id).toMatch(/^(learning|portfolio|study|runtime|factory|live|server)([A-Z][a-z]+)+$/)
    expect(ids).toContain('factoryCancelTask')
    expect(ids).toContain('runtimeListScheduleItems')
  })

  test('says nothing of a secret in any answer', () => {
    const reachable = JSON.stringify(http.map(({ operation }) => schemasOfAnswers(operation.responses)))
    for (const field of ['"password', 'password_hash', 'token_hash', 'balance_minor', '"host_key']) {
      expect(reachable).not.toContain(field)
    }
  })
})

describe('the document of a contract', () => {
  const { contracts } = documentsOfAll()

  test('exists for each of the five, and has its operations as they are in the document of all', () => {
    expect(Object.keys(contracts).sort()).toEqual(['factory', 'learning', 'portfolio', 'runtime', 'study'])
    for (const { paths, components } of Object.values(contracts)) {
      for (const [path, item] of Object.entries(paths)) expect(document.paths[path]).toMatchObject(item)
      expect(document.components.schemas).toMatchObject(components.schemas)
    }
    const served = (name: string) =>
      Object.values(contracts[name]!.paths).flatMap((item) => Object.values(item))
    const own = http.filter(({ operation }) => /^[a-z]+:/.test(operation.tags[0]!))
    for (const { name, operation } of own) {
      const of = Object.keys(contracts).filter((contract) =>
        served(contract).some(({ operationId }) => operationId === operation.operationId),
      )
      const contract = operation.tags[0]!.split(':')[0]!
      expect(of.sort(), name).toEqual(SHARED.has(name) ? ['factory', 'study'] : [contract])
    }
  })

  test('has only the tags, schemas and credentials that its operations use', () => {
    const { learning, portfolio, study } = contracts
    expect(Object.keys(learning!.components.securitySchemes)).toEqual(['bearerAuth'])
    expect(learning!.webhooks).toBeUndefined()
    expect(Object.keys(portfolio!.webhooks!)).toEqual(Object.keys(document.webhooks!))
    expect(study!.tags.map(({ name }) => name)).toContain('factory: tasks')
    expect(study!.tags.map(({ name }) => name)).not.toContain('factory: gpu')
  })
})

/** docs/design.md, "Routes of study and factory". */
const SHARED = new Set([
  'POST /api/auth/register',
  'POST /api/auth/login',
  'GET /api/tasks',
  'POST /api/tasks',
  'GET /api/tasks/{id}',
  'DELETE /api/tasks/{id}',
  'POST /api/tasks/{id}/cancel',
  'POST /api/tasks/{id}/retry',
  'GET /api/admin/users',
  'GET /api/admin/users/{id}',
  'PUT /api/admin/users/{id}',
  'DELETE /api/admin/users/{id}',
])

describe('its schemas', () => {
  test('are written once, by names in words; everywhere else stands a reference', () => {
    for (const name of Object.keys(document.components.schemas)) expect(name).toMatch(/^([A-Z][A-Za-z]+)+$/)
    const inline = all
      .filter(
        ([place, { type, properties }]) => !/^schemas\.\w+$/.test(place) && type === 'object' && properties,
      )
      .map(([place]) => place)
      .filter((place) => !place.includes('multipart'))
    expect(inline).toEqual([])
    expect(Object.keys(document.components.schemas)).toContain('FactoryTask')
  })

  test('are those of JSON Schema 2020-12', () => {
    for (const name of Object.keys(document.components.schemas)) {
      expect(() => validatorOf(['components', 'schemas', name])).not.toThrow()
    }
    for (const [place, schema] of all) {
      expect(schema, place).not.toHaveProperty('nullable')
      expect(schema, place).not.toHaveProperty('patternProperties')
    }
  })

  test('have one of some strings as an enumeration, never as alternatives', () => {
    const unions = all.filter(([, { anyOf }]) =>
      (anyOf as Schema[] | undefined)?.some((one) => 'const' in one),
    )
    expect(unions.map(([place]) => place)).toEqual([])
    expect(document.components.schemas.TaskStatus).toEqual({
      type: 'string',
      enum: ['pending', 'running', 'paused', 'completed', 'failed', 'cancelled'],
    })
  })

  test('have a whole number as an integer, and a truth as a boolean, though a text is read as one', () => {
    const texts = all.filter(
      ([, { type, format }]) => type === 'string' && /integer|numeric|boolean/.test(`${format}`),
    )
    expect(texts.map(([place]) => place)).toEqual([])
    const query = operations.find(({ name }) => name === 'GET /api/admin/users')!.operation.parameters!
    expect(query.find(({ name }) => name === 'page')?.schema.type).toBe('integer')
    expect(query.find(({ name }) => name === 'is_active')?.schema.type).toBe('boolean')
    const body = document.components.schemas.FactoryCreateTaskBody as { properties: Record<string, Schema> }
    expect(body.properties.priority).toEqual({ type: 'integer', minimum: 0, maximum: 10 })
  })

  test('require no field that the server fills in, and it fills in only where that is meant', () => {
    const INTENDED = [
      'batch_size',
      'by',
      'category',
      'chunk_size',
      'except_current',
      'group',
      'group_by',
      'include_photos',
      'include_public',
      'limit',
      'max_concurrent_tasks',
      'max_tags',
      'max_uses',
      'min_usage',
      'page',
      'page_size',
      'period',
      'photos_limit',
      'role',
      'sort_by',
      'sort_order',
      'status',
      'tz',
      'wait',
    ]
    const filled = new Set<string>()
    for (const [place, { properties, required }] of all) {
      for (const [field, schema] of Object.entries((properties ?? {}) as Record<string, Schema>)) {
        if (!('default' in schema)) continue
        filled.add(field)
        expect((required ?? []) as string[], place).not.toContain(field)
      }
    }
    for (const { name, operation } of operations) {
      for (const parameter of operation.parameters ?? []) {
        if (!('default' in parameter.schema)) continue
        filled.add(parameter.name)
        expect(parameter.required, name).toBe(false)
      }
    }
    expect([...filled].sort()).toEqual(INTENDED)
  })
})

describe('each operation', () => {
  test.each(http.map(({ name, operation, path }) => [name, operation, path] as const))(
    '%s',
    (name, operation, path) => {
      expect(operation.summary).toMatch(/^[A-Z].{9,}[^.]$/)
      expect(operation.tags).toHaveLength(1)
      expect(document.tags.map((tag) => tag.name)).toContain(operation.tags[0]!)
      const statuses = Object.keys(operation.responses)
      expect(statuses.filter((status) => /^20[0124]$/.test(status))).not.toBeEmpty()
      for (const status of statuses) {
        const { description, content } = operation.responses[status]!
        expect(description).not.toBeEmpty()
        if (status === '204' || status === '304') expect(content).toBeUndefined()
        if (status < '400' || status === '416') continue
        const types = Object.keys(content ?? {})
        // Resumable uploads have the problems of their draft beside the errors of the contract.
        const most = path.startsWith('/v1/upload/resumable') && status === '400' ? 2 : 1
        expect(types).not.toBeEmpty()
        expect(types.slice(most)).toEqual([])
        expect(errorTypesOf(path, operation.tags[0]!)).toEqual(expect.arrayContaining(types))
      }
      if (!name.endsWith(' /ready')) expect(statuses).toContain('500')
      // A route has only the errors that its sign-in, its ids and its body can cause.
      expect(operation.security).toBeArray()
      for (const scheme of operation.security.flatMap((one) => Object.keys(one))) {
        expect(Object.keys(document.components.securitySchemes)).toContain(scheme)
      }
      const signedIn = operation.security.some((one) => 'bearerAuth' in one)
      expect(statuses.includes('401')).toBe(signedIn || SIGN_IN.test(name))
      // In the portfolio contract an inactive user has no valid token, and bad input is 400.
      const portfolio = path.startsWith('/v1/')
      if (signedIn && !portfolio) expect(statuses).toContain('403')
      if (name.includes('{')) expect(statuses).toContain('404')
      const { requestBody } = operation
      if (requestBody) {
        const [type = '', ...more] = Object.keys(requestBody.content)
        expect(more).toEqual([])
        expect(FILES.test(path) ? TYPES_OF_FILES : ['application/json']).toContain(type)
        expect(statuses).toContain(portfolio || path === '/mcp' ? '400' : '422')
        // A chunk has exactly one length, and any other is 422.
        if (!path.includes('/chunks/')) expect(statuses).toContain('413')
      }
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, id]) => id!)
      const described = (operation.parameters ?? []).filter((one) => one.in === 'path')
      expect(described.map((one) => one.name)).toEqual(inPath)
      for (const { in: place, required } of operation.parameters ?? []) {
        expect(['path', 'query', 'header']).toContain(place)
        if (place === 'path') expect(required).toBe(true)
      }
    },
  )

  test('has an example of a real server that fits it, where an example is short enough', () => {
    const successes = http.flatMap(({ method, path, operation }) =>
      Object.entries(operation.responses)
        .filter(([status, { content }]) => status < '300' && content?.['application/json'])
        .map(([status, { content }]) => ({
          pointer: [
            'paths',
            path,
            method.toLowerCase(),
            'responses',
            status,
            'content',
            'application/json',
            'schema',
          ],
          example: (content!['application/json'] as { example?: unknown }).example,
        })),
    )
    const shown = successes.filter(({ example }) => example !== undefined)
    for (const { pointer, example } of shown) expect(validatorOf(pointer)(example), pointer[1]).toBe(true)
    expect(shown.length / successes.length).toBeGreaterThan(0.75)
  })

  test('of a socket says how it opens, and how it does not', () => {
    const sockets = operations.filter(({ path }) => SOCKETS.test(path))
    expect(sockets).toHaveLength(3)
    for (const { operation } of sockets) {
      expect(Object.keys(operation.responses)).toEqual(['101', '400', '403', '426', '503'])
      expect(operation.description).toContain('(/api/docs/live)')
    }
  })
})

/** Routes that take files, or parts of them. */
const FILES = /^(\/api)?\/v1\/upload(\/|$)/
const TYPES_OF_FILES = [
  'application/json',
  'application/octet-stream',
  'application/partial-upload',
  'multipart/form-data',
]

/** Routes that answer 401 to a wrong password, code or refresh token. */
const SIGN_IN = /^POST .*\/(login|sessions|refresh|verify|confirm)$/

/** Content types of a route's errors. Routes of health, and of uploads by the IETF's draft, have errors of both forms. */
function errorTypesOf(path: string, tag: string): string[] {
  const types = ['application/json', 'application/problem+json']
  return /health|metrics|mcp|\/resumable/.test(path) ? types : [types[tag.startsWith('runtime:') ? 1 : 0]!]
}

/** The schemas of the answers, and all schemas that they refer to. */
function schemasOfAnswers(responses: unknown, seen = new Set<string>()): unknown[] {
  const text = JSON.stringify(responses)
  const names = [...text.matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => name!)
  const fresh = names.filter((name) => !seen.has(name))
  for (const name of fresh) seen.add(name)
  return [responses, ...fresh.flatMap((name) => schemasOfAnswers(document.components.schemas[name], seen))]
}
