/** The documentation that the server serves of itself. */
import { afterAll, describe, expect, test } from 'bun:test'
import { api } from './support/api.ts'
import { mountedRoutes } from './support/described.ts'
import { startServer } from './support/server.ts'

const server = await startServer()
afterAll(() => server.stop())
const get = (path: string) => api(server, 'GET', path)

describe('/api/docs', () => {
  test('is a page whose every asset comes from this server', async () => {
    const page = await get('/api/docs')
    expect(page.status).toBe(200)
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(page.text).not.toMatch(/(https?:)?\/\/[\w.-]+\.\w+/)
    const assets = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path!)
    expect(assets).toEqual(['/api/docs/swagger-ui.css', '/api/docs/swagger-ui-bundle.js'])
    for (const path of [...assets, '/api/docs/json']) {
      const asset = await get(path)
      expect(asset.status, path).toBe(200)
      const type = path.endsWith('css')
        ? 'text/css'
        : path.endsWith('js')
          ? 'text/javascript'
          : 'application/json'
      expect(asset.headers.get('content-type')).toStartWith(type)
      expect(asset.text.length).toBeGreaterThan(1000)
    }
  })

  test('no other page of it, such as the plugin has, loads anything from another host', async () => {
    for (const { method, path } of mountedRoutes().filter(({ path }) => path.startsWith('/api/docs'))) {
      const answer = await api(server, method, path)
      const isPage = answer.headers.get('content-type')?.startsWith('text/html')
      if (isPage) expect(answer.text).not.toMatch(/(?:src|href)=["']?(?:https?:)?\/\//)
    }
  })
})

interface Schema {
  type?: string
  default?: unknown
  properties?: Record<string, Schema>
  anyOf?: Schema[]
  items?: Schema
}
interface Operation {
  summary?: string
  tags?: string[]
  parameters?: { name: string; in: string; required?: boolean; schema: Schema }[]
  requestBody?: { content: Record<string, { schema: Schema }> }
  responses: Record<string, { description?: string; content?: Record<string, { schema: Schema }> }>
  security?: Record<string, string[]>[]
}

const spec = (await get('/api/docs/json')).body as {
  openapi: string
  info: { title: string; version: string }
  components: { securitySchemes: Record<string, { type: string; scheme: string }> }
  paths: Record<string, Record<string, Operation>>
}
const operations = Object.entries(spec.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${path}`,
    path,
    operation,
  })),
)

describe('/api/docs/json', () => {
  test('is an OpenAPI 3.0 document', () => {
    expect(spec.openapi).toMatch(/^3\.0\.\d$/)
    expect(spec.info).toMatchObject({ title: 'Roost', version: expect.stringMatching(/^\d+\.\d+\.\d+$/) })
    expect(spec.components.securitySchemes.bearerAuth).toMatchObject({ type: 'http', scheme: 'bearer' })
    for (const { path } of operations) expect(path).toMatch(/^\/[\w./{}-]+$/)
  })

  test('has every mounted route, but sockets, stored files and the documentation itself', () => {
    const mounted = mountedRoutes()
      .filter(({ path }) => !/^(\/api)?\/ws\/(connect|node)$|^\/api\/docs|^\/files\//.test(path))
      .map(({ method, path }) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`)
    expect(operations.map(({ name }) => name).sort()).toEqual(mounted.sort())
  })

  test.each(operations.map(({ name, operation }) => [name, operation] as const))(
    '%s is described',
    (name, operation) => {
      expect(operation.summary).toMatch(/^[A-Z].{9,}[^.]$/)
      expect(operation.tags?.length).toBe(1)
      const statuses = Object.keys(operation.responses)
      const [success, ...more] = statuses.filter((status) => status < '300')
      expect(success).toMatch(/^20[0124]$/)
      expect(more).toEqual([])
      if (success !== '204') expect(schemasOf(operation, success!)).toEqual([expect.any(Object)])
      for (const status of statuses) {
        expect(operation.responses[status]!.description).not.toBeEmpty()
        if (status >= '400') expect(schemasOf(operation, status)).toEqual([expect.any(Object)])
      }
      expect(statuses).toContain('500')
      // What can be wrong is what there is: a sign-in, an id, a body.
      if (operation.security) expect(statuses).toContain('401')
      if (name.includes('{')) expect(statuses).toContain('404')
      if (operation.requestBody) expect(statuses).toContain('422')
      for (const { in: place, required, schema } of operation.parameters ?? []) {
        expect(['path', 'query']).toContain(place)
        if (place === 'path') expect(required).toBe(true)
        expect(schema).toBeObject()
      }
    },
  )

  test('every id of a path is a parameter', () => {
    for (const { name, path, operation } of operations) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, id]) => id!)
      const described = (operation.parameters ?? []).filter((one) => one.in === 'path').map((one) => one.name)
      expect(described, name).toEqual(inPath)
    }
  })

  test('a field that the client left out is filled in only where that is meant', () => {
    const INTENDED = new Set(['page', 'page_size', 'limit', 'sort_by', 'sort_order', 'max_concurrent_tasks'])
    const found = operations.flatMap(({ name, operation }) => [
      ...(operation.parameters ?? []).flatMap((one) => defaultsIn(one.schema, one.name)),
      ...Object.values(operation.requestBody?.content ?? {}).flatMap(({ schema }) =>
        defaultsIn(schema, name),
      ),
    ])
    expect([...new Set(found)].filter((field) => !INTENDED.has(field))).toEqual([])
    expect(found).toContain('page_size')
  })

  test('nothing secret is a field of any answer', () => {
    const text = JSON.stringify(
      operations.map(({ operation }) => Object.values(operation.responses).map(({ content }) => content)),
    )
    for (const field of ['"password', 'password_hash', 'token_hash', 'balance_minor', '"host_key'])
      expect(text).not.toContain(field)
  })
})

const schemasOf = ({ responses }: Operation, status: string): Schema[] =>
  Object.values(responses[status]?.content ?? {}).map(({ schema }) => schema)

/** Names of the fields that have a default of their own. */
function defaultsIn(schema: Schema, name: string): string[] {
  const own = 'default' in schema ? [name] : []
  const fields = Object.entries(schema.properties ?? {}).flatMap(([field, inner]) => defaultsIn(inner, field))
  const items = schema.items ? defaultsIn(schema.items, name) : []
  return [...own, ...fields, ...items]
}
