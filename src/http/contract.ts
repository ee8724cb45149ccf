import type { TSchema } from '@sinclair/typebox'
import type { AppError, ErrorCode } from '../core/errors.ts'
import { type Language, type MessageKey, message } from '../core/messages.ts'
import type { Logger } from '../util/logger.ts'
import { urlOf } from '../util/url-of.ts'
import { toAppError } from './errors.ts'
import { languageOf } from './language.ts'
import { ROUTE, type RouteDescription, type RouteDetail } from './openapi/route.ts'
import { noteStatus, requestIdOf } from './request-log.ts'

/** What a contract makes of each of core's codes: the status and the code of its own document. */
export type ErrorTable = Record<ErrorCode, readonly [status: number, code: string]>

/** An error as a contract's body shows it. */
export interface ShownError {
  status: number
  /** The contract's own code. */
  code: string
  message: string
  /** What is wrong with which field; empty when it is not about input. */
  issues: { field: string; message: string; rule: string }[]
  params: Record<string, string | number>
  /** Path of the request. */
  path: string
  requestId: string
}

export interface ContractDefinition {
  name: string
  language: Language
  errors: ErrorTable
  /** For contracts in which the status of bad input depends on where it stood. */
  validationStatus?: (part: AppError['part']) => number
  errorBody(error: ShownError): object
  /** Its model, for the documentation. */
  errorModel: TSchema
  errorContentType: string
}

export interface Contract extends ContractDefinition {
  /** The whole answer to a failed request. */
  errorResponse(error: unknown, request: Request, log: Logger): Response
  /** A text in the request's language. */
  text(request: Request, key: MessageKey, params?: Record<string, string | number>): string
  /** The OpenAPI description of a route. */
  describe(route: RouteDescription): RouteDetail
}

/** A contract's outward manners: its language, its error table and its error body, in one place. */
export function defineContract(definition: ContractDefinition): Contract {
  return {
    ...definition,
    describe: (route) => describe(definition, route),
    text: (request, key, params) => message(key, languageOf(request, definition.language), params),
    errorResponse(thrown, request, log) {
      const error = toAppError(thrown, log)
      const language = languageOf(request, definition.language)
      const [tableStatus, code] = definition.errors[error.code]
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
        params: error.params,
        path: urlOf(request).pathname,
        requestId: requestIdOf(request),
      })
      const headers = new Headers({ 'content-type': definition.errorContentType })
      if (status === 429 && error.params.seconds) headers.set('retry-after', String(error.params.seconds))
      // What the client still sends is not wanted any more.
      if (status === 408) headers.set('connection', 'close')
      if (status === 503) headers.set('retry-after', '1')
      if (error.code === 'METHOD_NOT_ALLOWED') headers.set('allow', String(error.params.allow))
      noteStatus(request, status)
      return new Response(JSON.stringify(body), { status, headers })
    },
  }
}

/**
 * Responses are described here and not by Elysia's `response`: that one drops every field a model lacks, and checks
 * each answer at run time. Tests hold the answers against these models instead.
 */
const describe = (contract: ContractDefinition, description: RouteDescription): RouteDetail => ({
  summary: description.summary,
  tags: [`${contract.name}: ${description.tag}`],
  [ROUTE]: { contract, description },
})
