import { toOpenAPISchema } from '@elysia/openapi/openapi'
import { OptionalKind, type TSchema } from '@sinclair/typebox'
import type { AnyElysia } from 'elysia'
import { version } from '../../../package.json'
import type { RouteFields } from '../deprecations.ts'
import { acceptsKey, KEY_PARAMETER, REPLAYED_HEADER } from '../idempotency.ts'
import { LIMIT_HEADERS } from '../limit-fields.ts'
import { messagesOf } from './messages.ts'
import { operationId, pascal } from './operation-id.ts'
import { answerName, type HeaderObject, responsesOf, securityOf } from './responses.ts'
import { AUTH, type DescribedRoute, type MultipartBody, ROUTE, type RouteDetail } from './route.ts'
import { sampleOf } from './sample.ts'
import { type JsonSchema, SchemaPool } from './schemas.ts'
import { socketPaths, socketSchemes } from './sockets.ts'

export interface Parameter {
  name: string
  in: string
  required: boolean
  description?: string
  schema: JsonSchema
}

export interface Operation {
  operationId: string
  summary: string
  tags: string[]
  description?: string
  deprecated?: true
  security: Record<string, string[]>[]
  parameters?: Parameter[]
  requestBody?: { required: boolean; content: Record<string, { schema: JsonSchema; example?: unknown }> }
  responses: Record<string, { description: string; content?: Record<string, { schema: JsonSchema }> }>
}

export interface OpenApiDocument {
  openapi: string
  info: { title: string; version: string; description: string }
  servers: { url: string; description: string }[]
  tags: { name: string; description: string }[]
  paths: Record<string, Record<string, Operation>>
  webhooks: Record<string, Record<string, Operation>>
  components: {
    schemas: Record<string, JsonSchema>
    headers: Record<string, HeaderObject>
    securitySchemes: Record<string, object>
  }
}

const DESCRIPTION = [
  'Five HTTP APIs on one server, and one live channel. Sign in on any of them, then put the access token into',
  'Authorize: every API accepts it. Every answer has an `x-request-id`. A path that does not exist is 404, and a path',
  'without the method of the request is 405 with `Allow`. The API with the base URL of the path formats these errors.',
].join(' ')

const SECURITY_SCHEMES = {
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

/** The OpenAPI document of every route that has a description, and of the sockets. */
export function openApiDocument(
  app: AnyElysia,
  fields: Pick<RouteFields, 'isDeprecated'>,
  publicUrl?: string,
): OpenApiDocument {
  const mounted = toOpenAPISchema(app, { staticFile: false }).paths as Record<
    string,
    Record<string, Operation>
  >
  const routes = describedRoutes(app)
  const pool = new SchemaPool(routes.flatMap(modelsOf))
  const paths: OpenApiDocument['paths'] = {}
  for (const route of routes) {
    const method = route.method.toLowerCase()
    const path = route.path.replace(/:(\w+)/g, '{$1}')
    const operation = toOperation(route, mounted[path]![method]!, pool)
    if (fields.isDeprecated(route.method, route.path)) operation.deprecated = true
    const written = path.replace('*', `{${WILDCARD}}`)
    paths[written] = { ...paths[written], [method]: operation }
    delete mounted[path]![method]
  }
  for (const [path, item] of Object.entries(mounted)) {
    for (const [method, operation] of Object.entries(item)) {
      paths[path] = { ...paths[path], [method]: ofServer(method, path, operation, pool) }
    }
  }
  Object.assign(paths, socketPaths)
  const webhooks = messagesOf(routes, pool)
  const tags = new Set(
    Object.values(paths).flatMap((item) => Object.values(item).flatMap(({ tags }) => tags)),
  )
  return {
    openapi: '3.1.1',
    info: { title: 'Roost', version, description: DESCRIPTION },
    servers: [{ url: publicUrl ?? '/', description: 'This server' }],
    tags: [...tags].map((name) => ({
      name,
      description: name.replace(/(.*): (.*)/, 'The $2 part of the $1 API'),
    })),
    paths,
    webhooks,
    components: {
      schemas: sorted(pool.schemas),
      headers: { ...LIMIT_HEADERS, ...REPLAYED_HEADER },
      securitySchemes: SECURITY_SCHEMES,
    },
  }
}

/** The name of the parameter for the `*` of a path. */
const WILDCARD = 'file_path'

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

/** @param mounted the operation that @elysia/openapi makes of the route */
function toOperation(route: DescribedRoute, mounted: Operation, pool: SchemaPool): Operation {
  const { contract, description, method, path, auth } = route
  const id = operationId(contract.name, method, path, description.id)
  const parameters = parametersOf(route, mounted.parameters ?? [], pool, pascal(id))
  const requestBody = bodyOf(route, pool, pascal(id))
  return {
    operationId: id,
    summary: mounted.summary,
    tags: mounted.tags,
    ...(typeof auth === 'string' && { description: `Needs the permission \`${auth}\`.` }),
    security: securityOf(route),
    ...(parameters.length > 0 && { parameters }),
    ...(requestBody && { requestBody }),
    responses: responsesOf(route, pool, id),
  }
}

/** The operation of a route that belongs to no contract; its `detail` has its answers. */
function ofServer(method: string, path: string, mounted: Operation, pool: SchemaPool): Operation {
  const id = operationId('server', method.toUpperCase(), path)
  const responses = Object.entries(mounted.responses ?? {}).map(([status, { content, ...answer }]) => {
    const types = Object.entries(content ?? {}).map(([type, { schema }]) => [
      type,
      { schema: pool.add(schema, answerName(id, status)) },
    ])
    return [status, content ? { ...answer, content: Object.fromEntries(types) } : answer]
  })
  const { security = [] } = mounted
  return { ...mounted, operationId: id, security, responses: Object.fromEntries(responses) }
}

/** The parameters, with the schemas of the route's models, because the library loses defaults. */
function parametersOf(
  route: DescribedRoute,
  mounted: Parameter[],
  pool: SchemaPool,
  place: string,
): Parameter[] {
  const models: Record<string, TSchema | undefined> = { path: route.params, query: route.query }
  const parameters = mounted
    .filter((one) => one.name !== '*')
    .map((one) => {
      const model = models[one.in]?.properties?.[one.name] as JsonSchema | undefined
      const { description, ...schema } = pool.add(model ?? one.schema, place + pascal(one.name))
      return {
        name: one.name,
        in: one.in,
        required: one.required && !('default' in schema),
        ...(typeof description === 'string' && { description }),
        schema,
      }
    })
  if (route.takesKey) parameters.push(KEY_PARAMETER)
  if (!route.path.endsWith('*')) return parameters
  const description = 'As answers name it; its slashes stand as they are.'
  return [
    ...parameters,
    { name: WILDCARD, in: 'path', required: true, description, schema: { type: 'string' } },
  ]
}

function bodyOf({ body, description }: DescribedRoute, pool: SchemaPool, place: string) {
  if (description.multipart) return multipartBody(description.multipart)
  if (description.bytes) return { required: true, content: { [description.bytes]: { schema: BINARY } } }
  if (!body) return undefined
  const schema = pool.add(body, `${place}Body`)
  const example = description.example ?? sampleOf(schema, pool.schemas)
  return { required: !(OptionalKind in body), content: { 'application/json': { schema, example } } }
}

const BINARY = { type: 'string', format: 'binary' }

const multipartBody = ({ file, many, fields }: MultipartBody) => ({
  required: true,
  content: {
    'multipart/form-data': {
      schema: {
        type: 'object',
        required: [file, ...Object.keys(fields).filter((name) => !(OptionalKind in fields[name]!))],
        properties: {
          ...Object.fromEntries(
            Object.entries(fields).map(([name, { type, ...rules }]) => [name, { type, ...rules }]),
          ),
          [file]: many ? { type: 'array', items: BINARY } : BINARY,
        },
      },
    },
  },
})

const sorted = <T>(record: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
