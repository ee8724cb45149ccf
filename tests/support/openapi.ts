/** The server's own OpenAPI document, and whether an answer is one that it describes. */
import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020'
import addFormats from 'ajv-formats'
import type { AnyElysia } from 'elysia'
import { RouteFields } from '../../src/http/deprecations.ts'
import {
  type OpenApiDocument,
  type OpenApiDocuments,
  openApiDocuments,
} from '../../src/http/openapi/document.ts'
import { LIMIT_FIELDS } from '../../src/http/openapi/headers.ts'
import type { Operation } from '../../src/http/openapi/operations.ts'
import { closed } from './closed.ts'
import { hollowApp } from './hollow.ts'

interface Answered {
  status: number
  headers: Headers
  body: unknown
  text: string
}

export interface DocumentedRoute {
  /** In capitals. */
  method: string
  /** With `{name}` for parameters. */
  path: string
  operation: Operation
}

/** What the server makes in slices. */
export function openApiOf(app: AnyElysia, fields = new RouteFields([])): OpenApiDocuments {
  const steps = openApiDocuments(app, fields)
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

let documents: OpenApiDocuments | undefined
export function documentsOfAll(): OpenApiDocuments {
  // By way of JSON: what clients get of it.
  documents ??= JSON.parse(JSON.stringify(openApiOf(hollowApp()))) as OpenApiDocuments
  return documents
}

/** The document of the whole server. */
export const documented = (): OpenApiDocument => documentsOfAll().all

export const documentedRoutes = (): DocumentedRoute[] =>
  Object.entries(documented().paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  )

let patterns: [RegExp, DocumentedRoute][] | undefined
/** The route that a request went to; undefined: none that the document has. */
export function routeOf(method: string, path: string): DocumentedRoute | undefined {
  patterns ??= documentedRoutes()
    // As the router does: what stands there literally goes before what a parameter would take.
    .sort((a, b) => a.path.split('{').length - b.path.split('{').length)
    .map((route) => [
      new RegExp(`^${route.path.replace('{file_path}', '.+').replace(/\{\w+\}/g, '[^/]+')}/?$`),
      route,
    ])
  const [pathname = ''] = path.split(/[?#]/)
  return patterns.find(([pattern, route]) => route.method === method && pattern.test(pathname))?.[1]
}

/** The header fields that a route reads. */
export const documentedRequestHeaders = ({ operation }: DocumentedRoute): string[] =>
  (operation.parameters ?? []).filter((one) => one.in === 'header').map(({ name }) => name)

let ajv: Ajv2020 | undefined
const validators = new Map<string, ValidateFunction>()

const typeOf = (headers: Headers): string => (headers.get('content-type') ?? '').split(';')[0]!

/** What the document does not say of an answer besides its body: its status, its header fields, or its content type. */
export function undocumentedHead(
  route: DocumentedRoute,
  { status, headers }: Pick<Answered, 'status' | 'headers'>,
): string[] {
  const { method, path, operation } = route
  const response = operation.responses[status]
  if (!response) return [`${status} is no documented status of ${method} ${path}`]
  const problems = headerProblems(route, status, headers).map(
    (problem) => `${method} ${path} answers ${status} ${problem}`,
  )
  const { content } = response
  const type = typeOf(headers)
  const isDocumented =
    type === ''
      ? !content || response['x-may-be-empty'] === true
      : content !== undefined && ('*/*' in content || type in content)
  if (isDocumented) return problems
  return [...problems, `${method} ${path} answers ${status} as ${type || 'nothing'}, which is not documented`]
}

/**
 * Header fields that the document does not list: those of every answer, those that the contract has on every answer, and those
 * that HTTP libraries, browsers and caches read for the application.
 */
const UNLISTED =
  /^(x-request-id|x-content-type-options|api-(version|deprecated)|access-control-.*|cache-control|connection|content-(encoding|length|type)|date|keep-alive|transfer-encoding|vary|x-accel-buffering)$/

function headerProblems({ operation }: DocumentedRoute, status: number, headers: Headers): string[] {
  const documented = new Map(
    Object.entries(operation.responses[status]!.headers ?? {}).map(([name, { $ref }]) => [
      name.toLowerCase(),
      documentedHeader($ref),
    ]),
  )
  // Errors of a route with a limit have its fields too, which the document lists for its successes.
  const ofLimit = operation.responses[429] && status >= 400 ? LIMIT_NAMES : []
  const extra = [...headers.keys()].filter(
    (name) => !documented.has(name) && !UNLISTED.test(name) && !ofLimit.includes(name),
  )
  const missing = [...documented].filter(([name, { required }]) => required && !headers.has(name))
  return [
    ...extra.map((name) => `with ${name}, which is not documented`),
    ...missing.map(([name]) => `without ${name}`),
  ]
}

const LIMIT_NAMES = Object.keys(LIMIT_FIELDS).map((name) => name.toLowerCase())

const documentedHeader = (ref: string) => documented().components.headers![ref.split('/').pop()!]!

/** What the document does not say of an answer: its status, its header fields, its content type, or its body. */
export function undocumented(route: DocumentedRoute, answer: Answered): string[] {
  const { method, path, operation } = route
  const { status, headers, body, text } = answer
  const head = undocumentedHead(route, answer)
  if (head.length > 0) return head.map((problem) => `${problem}: ${text.slice(0, 300)}`)
  const { content } = operation.responses[status]!
  if (!content) {
    return text === '' ? [] : [`${method} ${path} answers ${status} with a body, and documents none`]
  }
  const type = typeOf(headers)
  if (!(type in content)) return []
  if ('*/*' in content || !/[/+]json$/.test(type)) return []
  const validate = validatorOf([
    'paths',
    path,
    method.toLowerCase(),
    'responses',
    `${status}`,
    'content',
    type,
    'schema',
  ])
  if (validate(body)) return []
  return (validate.errors ?? []).map(
    (e) =>
      `${method} ${path} ${status}: ${e.instancePath} ${e.message} ${e.params?.additionalProperty ?? ''}`,
  )
}

/** @param pointer where the schema stands in the document */
export function validatorOf(pointer: string[]): ValidateFunction {
  if (!ajv) {
    ajv = new Ajv2020({ strict: false, allErrors: true, validateSchema: false, meta: false })
    addFormats(ajv)
    // An answer may not have a field that the document does not name.
    ajv.addSchema(closed(documented()), 'openapi')
  }
  const ref = `openapi#/${pointer.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`
  const validate = validators.get(ref) ?? ajv.compile({ $ref: ref })
  validators.set(ref, validate)
  return validate
}
