import { toOpenAPISchema } from '@elysia/openapi/openapi'
import type { TSchema } from '@sinclair/typebox'
import type { AnyElysia } from 'elysia'
import { version } from '../../../package.json'
import type { RouteFields } from '../deprecations.ts'
import { acceptsKey, REPLAYED_HEADER } from '../idempotency.ts'
import { LIMIT_HEADERS } from '../limit-fields.ts'
import { messagesOf } from './messages.ts'
import { type Operation, ofServer, toOperation, WILDCARD } from './operations.ts'
import type { HeaderObject } from './responses.ts'
import { AUTH, type DescribedRoute, ROUTE, type RouteDetail } from './route.ts'
import { type JsonSchema, SchemaPool } from './schemas.ts'
import { socketPaths, socketSchemes } from './sockets.ts'

type Paths = Record<string, Record<string, Operation>>

export interface OpenApiDocument {
  openapi: string
  info: { title: string; version: string; description: string }
  servers: { url: string; description: string }[]
  tags: { name: string; description: string }[]
  paths: Paths
  webhooks?: Paths
  components: {
    schemas: Record<string, JsonSchema>
    headers?: Record<string, HeaderObject>
    securitySchemes: Record<string, object>
  }
}

export interface OpenApiDocuments {
  /** Every route of the server, and its sockets. */
  all: OpenApiDocument
  /** The routes of each contract, by its name. Names of operations and schemas are those of `all`. */
  contracts: Record<string, OpenApiDocument>
}

const DESCRIPTION = [
  'Five HTTP APIs on one server, and one live channel, whose frames and events are [on a page of their own](/api/docs/live).',
  'Sign in on any of them, then put the access token into',
  'Authorize: every API accepts it. Every answer has an `x-request-id`. A path that does not exist is 404, and a path',
  'without the method of the request is 405 with `Allow`. The API with the base URL of the path formats these errors.',
].join(' ')

const descriptionOf = (contract: string) =>
  `The ${contract} API, one of the five of this server. An access token of any of them is good for all.`

const SECURITY_SCHEMES: Record<string, object> = {
  bearerAuth: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The access_token of a sign-in.',
  },
  nodeToken: { type: 'http', scheme: 'bearer', description: 'The node_token of a GPU server.' },
  feedToken: {
    type: 'apiKey',
    in: 'query',
    name: 'token',
    description: 'The secret in the address of a calendar, from POST /api/v1/schedule-items/feed.',
  },
  ...socketSchemes,
}

/** The OpenAPI documents of every route that has a description: one for all with the sockets, and one for each contract. */
export function openApiDocuments(
  app: AnyElysia,
  fields: Pick<RouteFields, 'isDeprecated'>,
  publicUrl?: string,
): OpenApiDocuments {
  const mounted = toOpenAPISchema(app, { staticFile: false }).paths as Paths
  const routes = describedRoutes(app)
  const pool = new SchemaPool(routes.flatMap(modelsOf))
  const all: Paths = {}
  const byContract = new Map<string, Paths>()
  for (const route of routes) {
    const method = route.method.toLowerCase()
    const path = route.path.replace(/:(\w+)/g, '{$1}')
    const operation = toOperation(route, mounted[path]![method]!, pool)
    if (fields.isDeprecated(route.method, route.path)) operation.deprecated = true
    for (const contract of contractsOf(route)) byContract.set(contract, byContract.get(contract) ?? {})
    const written = path.replace('*', `{${WILDCARD}}`)
    for (const paths of [all, ...contractsOf(route).map((contract) => byContract.get(contract)!)])
      paths[written] = { ...paths[written], [method]: operation }
    delete mounted[path]![method]
  }
  for (const [path, item] of Object.entries(mounted)) {
    for (const [method, operation] of Object.entries(item)) {
      all[path] = { ...all[path], [method]: ofServer(method, path, operation, pool) }
    }
  }
  Object.assign(all, socketPaths)
  const assemble = (
    title: string,
    description: string,
    paths: Paths,
    of: DescribedRoute[],
  ): OpenApiDocument => {
    const webhooks = messagesOf(of, pool)
    const operations = Object.values(paths).flatMap((item) => Object.values(item))
    const tags = new Set(operations.flatMap(({ tags }) => tags))
    const schemes = new Set(operations.flatMap(({ security }) => security.flatMap(Object.keys)))
    return {
      openapi: '3.1.1',
      info: { title, version, description },
      servers: [{ url: publicUrl ?? '/', description: 'This server' }],
      tags: [...tags].map((name) => ({
        name,
        description: name.replace(/(.*): (.*)/, 'The $2 part of the $1 API'),
      })),
      paths,
      ...(Object.keys(webhooks).length > 0 && { webhooks }),
      components: {
        ...used({ schemas: pool.schemas, headers: { ...LIMIT_HEADERS, ...REPLAYED_HEADER } }, [
          paths,
          webhooks,
        ]),
        securitySchemes: pick(SECURITY_SCHEMES, schemes),
      },
    }
  }
  return {
    all: assemble('Roost', DESCRIPTION, all, routes),
    contracts: Object.fromEntries(
      [...byContract].map(([contract, paths]) => {
        const own = routes.filter((route) => contractsOf(route).includes(contract))
        return [contract, assemble(`Roost: ${contract}`, descriptionOf(contract), paths, own)]
      }),
    ),
  }
}

const contractsOf = ({ contract, description: { sharedWith } }: DescribedRoute): string[] =>
  sharedWith === undefined ? [contract.name] : [contract.name, sharedWith]

function describedRoutes(app: AnyElysia): DescribedRoute[] {
  return app.routes.flatMap(({ method, path, hooks, handler }) => {
    const detail = hooks.detail as
      | (RouteDetail & { hide?: boolean; [AUTH]?: DescribedRoute['auth'] })
      | undefined
    if (!detail?.[ROUTE] || detail.hide) return []
    const { body, query, params } = hooks as unknown as Pick<DescribedRoute, 'body' | 'query' | 'params'>
    const takesKey = acceptsKey(handler)
    return [{ ...detail[ROUTE], method, path, auth: detail[AUTH], takesKey, body, query, params }]
  })
}

const modelsOf = ({ contract, description, body, query, params }: DescribedRoute): TSchema[] =>
  [
    contract.errorModel,
    description.response,
    ...Object.values(description.answers ?? {}).map(({ response }) => response),
    ...Object.values(description.sends ?? {}),
    body,
    query,
    params,
  ].filter((model) => model !== undefined)

/** The parts of `components` that `from` refers to, also by way of others; sorted by name. */
function used<C extends Record<string, Record<string, unknown>>>(components: C, from: unknown): C {
  const found = new Map<string, Set<string>>()
  const follow = (value: unknown): void => {
    for (const [, kind = '', name = ''] of JSON.stringify(value).matchAll(
      /"#\/components\/(\w+)\/([\w-]+)"/g,
    )) {
      const names = found.get(kind) ?? new Set()
      found.set(kind, names)
      if (names.has(name)) continue
      names.add(name)
      follow(components[kind]![name])
    }
  }
  follow(from)
  return Object.fromEntries([...found].map(([kind, names]) => [kind, pick(components[kind]!, names)])) as C
}

const pick = <T>(record: Record<string, T>, names: ReadonlySet<string>): Record<string, T> =>
  Object.fromEntries([...names].sort().map((name) => [name, record[name]!]))
