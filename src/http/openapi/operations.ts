/** The operations of the document, and what they are made of. */
import { OptionalKind, type TSchema } from '@sinclair/typebox'
import { withHeaders } from './headers.ts'
import { operationId, pascal } from './operation-id.ts'
import { headerParameters, type RequestHeaders } from './request-headers.ts'
import { answerName, headersOfError, type ResponseObject, responsesOf, securityOf } from './responses.ts'
import type { DescribedRoute, MultipartBody } from './route.ts'
import { sampleOf } from './sample.ts'
import type { JsonSchema, SchemaPool } from './schemas.ts'

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
  responses: Record<string, ResponseObject>
}

/** The name of the parameter for the `*` of a path. */
export const WILDCARD = 'file_path'

/** @param mounted the operation that @elysia/openapi makes of the route */
export function toOperation(route: DescribedRoute, mounted: Operation, pool: SchemaPool): Operation {
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
export function ofServer(method: string, path: string, mounted: Operation, pool: SchemaPool): Operation {
  const id = operationId('server', method.toUpperCase(), path)
  const responses = Object.entries(mounted.responses ?? {}).map(([status, { content, ...answer }]) => {
    const types = Object.entries(content ?? {}).map(([type, { schema }]) => [
      type,
      { schema: pool.add(schema, answerName(id, status)) },
    ])
    const written = content ? { ...answer, content: Object.fromEntries(types) } : answer
    return [status, withHeaders(written, headersOfError(Number(status)))]
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
  parameters.push(...headerParameters(requestHeadersOf(route)))
  if (!route.path.endsWith('*')) return parameters
  const description = 'As answers name it; its slashes stand as they are.'
  return [
    ...parameters,
    { name: WILDCARD, in: 'path', required: true, description, schema: { type: 'string' } },
  ]
}

/** The header fields that a route names, and those that follow from its other options. */
const requestHeadersOf = ({ method, description, takesKey }: DescribedRoute): RequestHeaders => ({
  ...description.requestHeaders,
  ...(description.etag && method === 'GET' && { 'If-None-Match': 'optional' }),
  ...(takesKey && { 'Idempotency-Key': 'optional' }),
})

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
