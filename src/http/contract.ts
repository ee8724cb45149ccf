import type { TSchema } from '@sinclair/typebox'
import { ERRORS, type ErrorCode } from '../core/errors/catalogue.ts'
import type { ErrorKind } from '../core/errors/define.ts'
import type { AppError, ErrorValue } from '../core/errors.ts'
import { type Language, type MessageKey, message } from '../core/messages.ts'
import type { RateLimitedParams } from '../core/rate-limits/rate-limits.ts'
import type { LimitClass } from '../core/rate-limits/request-limits.ts'
import { snakeKeys } from '../util/case.ts'
import type { Logger } from '../util/logger.ts'
import { urlOf } from '../util/url-of.ts'
import type { HeaderFields } from './deprecations.ts'
import { toAppError } from './errors.ts'
import { languageOf } from './language.ts'
import { limitFields } from './limit-fields.ts'
import { ROUTE, type RouteDescription, type RouteDetail } from './openapi/route.ts'
import { noteStatus, requestIdOf } from './request-log.ts'

/** The status of an error and its code in the contract. Without a code, the answer shows core's code. */
export type ErrorAnswer = readonly [status: number, code?: string]

/** The answer to every error that core can throw. */
export type ErrorTable = Record<ErrorCode, readonly [status: number, code: string]>

/** An error as a contract's body shows it. */
export interface ShownError {
  status: number
  /** The error's code in the contract. */
  code: string
  message: string
  /** The rules that the input breaks; empty when the error is not about input. */
  issues: { field: string; message: string; rule: string }[]
  params: Record<string, ErrorValue>
  /** Path of the request. */
  path: string
  requestId: string
}

export interface ContractDefinition {
  name: string
  /** The language of the contract's texts, unless `Accept-Language` asks for the other one. */
  language: Language
  /** The answers to errors by kind, for codes that are not in `codes`. */
  kinds: Record<ErrorKind, ErrorAnswer>
  /** The answers to those codes that the contract's document names, where the kind's answer is another one. */
  codes: Partial<Record<ErrorCode, ErrorAnswer>>
  /** The status of VALIDATION_FAILED, for contracts in which it depends on the part of the request. */
  validationStatus?: (part: AppError['part']) => number
  errorBody(error: ShownError): object
  /** The model of `errorBody`, for the documentation. */
  errorModel: TSchema
  errorContentType: string
  /** Header fields of every answer of the contract. */
  headers?: HeaderFields
  /** The limit of the routes that declare no other one, and of unmatched paths. Without it, requests are not counted. */
  limit?: LimitClass
}

/** What the documentation of a route needs of its contract: the definition, and the answer to every code. */
export interface DescribedContract extends ContractDefinition {
  errors: ErrorTable
}

export interface Contract extends DescribedContract {
  /**
   * The whole answer to a failed request.
   * @param fields header fields of every answer of the route; by default those of the contract
   */
  errorResponse(error: unknown, request: Request, log: Logger, fields?: HeaderFields): Response
  /** A text in the request's language. */
  text(request: Request, key: MessageKey, params?: Record<string, ErrorValue>): string
  /** The OpenAPI description of a route. */
  describe(route: RouteDescription): RouteDetail
}

/** Makes a contract from its definition: its language, its answers to errors and the form of their body. */
export function defineContract(definition: ContractDefinition): Contract {
  const errors = errorTable(definition)
  return {
    ...definition,
    errors,
    describe: (route) => describe({ ...definition, errors }, route),
    text: (request, key, params) => message(key, languageOf(request, definition.language), params),
    errorResponse(thrown, request, log, fields = definition.headers) {
      const error = toAppError(thrown, log)
      const language = languageOf(request, definition.language)
      const [tableStatus, code] = errors[error.code]
      const status =
        error.code === 'VALIDATION_FAILED'
          ? (definition.validationStatus?.(error.part) ?? tableStatus)
          : tableStatus
      const body = definition.errorBody({
        status,
        code,
        message: message(error.code, language, error.params),
        issues: error.issues.map(({ field, rule, params }) => ({
          field: field || error.part,
          message: message(`issue.${rule}`, language, params),
          rule,
        })),
        params: snakeKeys(error.params),
        path: urlOf(request).pathname,
        requestId: requestIdOf(request),
      })
      const headers = new Headers({ ...fields, 'content-type': definition.errorContentType })
      const seconds = retrySeconds(status, error.params)
      if (seconds !== undefined) headers.set('retry-after', String(seconds))
      if (error.params.policy) addLimit(headers, error.params)
      if (status === 401) headers.set('www-authenticate', challenge(error.code))
      // The server does not read the rest of this request, so the client cannot send another one on the connection.
      if (status === 408) headers.set('connection', 'close')
      if (error.code === 'METHOD_NOT_ALLOWED') headers.set('allow', String(error.params.allow))
      noteStatus(request, status)
      return new Response(JSON.stringify(body), { status, headers })
    },
  }
}

/** RFC 6750, 3. */
const challenge = (code: ErrorCode): string =>
  code === 'INVALID_TOKEN' || code === 'TOKEN_EXPIRED' ? 'Bearer error="invalid_token"' : 'Bearer'

/** After how many seconds the client may try again; undefined when no time would help. */
function retrySeconds(status: number, { seconds }: AppError['params']): ErrorValue | undefined {
  if (status === 503) return seconds ?? 1
  return status === 429 ? seconds : undefined
}

/** The limit that a request exceeds. */
function addLimit(headers: Headers, params: AppError['params']): void {
  const { policy, limit, window, seconds, resetAt } = params as unknown as RateLimitedParams
  const shown = { policy, limit, window, seconds, remaining: 0, reset: Date.parse(resetAt) / 1000 }
  for (const [name, value] of Object.entries(limitFields(shown))) headers.set(name, value)
}

function errorTable({ kinds, codes }: ContractDefinition): ErrorTable {
  const answers = Object.entries(ERRORS).map(([coreCode, { kind }]) => {
    const [status, code] = codes[coreCode as ErrorCode] ?? kinds[kind]
    return [coreCode, [status, code ?? coreCode]]
  })
  return Object.fromEntries(answers)
}

/**
 * Describes a route's answers for the documentation. Elysia's `response` is not used, because it drops every field
 * that the model lacks and checks each answer at run time. The tests check the answers against these models.
 */
const describe = (contract: DescribedContract, description: RouteDescription): RouteDetail => ({
  summary: description.summary,
  tags: [`${contract.name}: ${description.tag}`],
  [ROUTE]: { contract, description },
})
