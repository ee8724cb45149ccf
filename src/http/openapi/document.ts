import { toOpenAPISchema } from '@elysia/openapi/openapi'
import type { TSchema } from '@sinclair/typebox'
import type { AnyElysia } from 'elysia'
import { version } from '../../../package.json'
import type { HeaderFields, RouteFields } from '../deprecations.ts'
import { acceptsKey } from '../idempotency.ts'
import { HEADER_COMPONENTS, type HeaderObject } from './headers.ts'
import { messagesOf } from './messages.ts'
import { type Operation, ofServer, toOperation, WILDCARD } from './operations.ts'
import { AUTH, type DescribedRoute, ROUTE, type RouteDetail } from './route.ts'
import { type JsonSchema, SchemaPool } from './schemas.ts'
import { SECURITY_SCHEMES } from './security-schemes.ts'
import { socketPaths } from './sockets.ts'

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
  'Sign in on any of them, then put the access token into Authorize: every API accepts it. Texts are in English or Chinese,',
  'as `Accept-Language` asks. Every answer has an `x-request-id`. A path that does not exist is 404, and a path without the',
  'method of the request is 405 with `Allow`. The API with the base URL of the path formats these errors.',
].join(' ')

const descriptionOf = (name: string, headers: HeaderFields | undefined) =>
  [
    `The ${name} API, one of the five of this server. An access token of any of them is good for all.`,
    headers && `Every answer has the header fields ${Object.keys(headers).join(', ')}.`,
  ]
    .filter(Boolean)
    .join(' ')

/**
 * The OpenAPI documents of every route that has a description: one for all with the sockets, and one for each contract. All
 * together they take some 0.2 s.
 * @yields between the steps, each of which takes some milliseconds
 */
export function* openApiDocuments(
  app: AnyElysia,
  fields: Pick<RouteFields, 'isDeprecated'>,
  publicUrl?: string,
): Generator<void, OpenApiDocuments> {
  const mounted = toOpenAPISchema(app, { staticFile: false }).paths as Paths
  yield
  const routes = describedRoutes(app)
  const pool = new SchemaPool()
  // All names first, so that no model without a name takes one of them.
  for (const route of routes) {
    for (const model of modelsOf(route)) pool.collect(model)
    yield
  }
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
    yield
  }
  for (const [path, item] of Object.entries(mounted)) {
    for (const [method, operation] of Object.entries(item)) {
      all[path] = { ...all[path], [method]: ofServer(method, path, operation, pool) }
    }
  }
  Object.assign(all, socketPaths)
  const servers = [{ url: publicUrl ?? '/', description: 'This server' }]
  const info = { title: 'Roost', version, description: DESCRIPTION }
  const documents: OpenApiDocuments = {
    all: yield* documentOf(info, servers, all, messagesOf(routes, pool), pool),
    contracts: {},
  }
  for (const [contract, paths] of byContract) {
    const own = routes.filter((route) => contractsOf(route).includes(contract))
    const { headers } = own.find((route) => route.contract.name === contract)!.contract
    const info = { title: `Roost: ${contract}`, version, description: descriptionOf(contract, headers) }
    documents.contracts[contract] = yield* documentOf(info, servers, paths, messagesOf(own, pool), pool)
  }
  return documents
}

/** A document of these paths and messages, with the tags and components that they use. */
function* documentOf(
  info: OpenApiDocument['info'],
  servers: OpenApiDocument['servers'],
  paths: Paths,
  webhooks: Paths,
  { schemas }: SchemaPool,
): Generator<void, OpenApiDocument> {
  const operations = Object.values(paths).flatMap((item) => Object.values(item))
  const tags = new Set(operations.flatMap(({ tags }) => tags))
  const schemes = new Set(operations.flatMap(({ security }) => security.flatMap(Object.keys)))
  const components = yield* used({ schemas, headers: HEADER_COMPONENTS }, [
    ...Object.values(paths),
    ...Object.values(webhooks),
  ])
  return {
    openapi: '3.1.1',
    info,
    servers,
    tags: [...tags].map((name) => ({
      name,
      description: name.replace(/(.*): (.*)/, 'The $2 part of the $1 API'),
    })),
    paths,
    ...(Object.keys(webhooks).length > 0 && { webhooks }),
    components: {
      ...components,
      securitySchemes: pick<object>(SECURITY_SCHEMES, schemes),
    },
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

/** Those of `components` that any of `parts` refers to, also by way of others; sorted by name. */
function* used<C extends Record<string, Record<string, unknown>>>(
  components: C,
  parts: unknown[],
): Generator<void, C> {
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
  for (const part of parts) {
    follow(part)
    yield
  }
  return Object.fromEntries([...found].map(([kind, names]) => [kind, pick(components[kind]!, names)])) as C
}

const pick = <T>(record: Record<string, T>, names: ReadonlySet<string>): Record<string, T> =>
  Object.fromEntries([...names].sort().map((name) => [name, record[name]!]))
