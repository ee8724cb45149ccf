/** Header fields of resumable uploads (draft-ietf-httpbis-resumable-upload-12), and their problems. */
import { STATUS_CODES } from 'node:http'
import { t } from 'elysia'
import type { Context } from '../../../core/context.ts'
import { type AppError, invalid } from '../../../core/errors.ts'
import { toAppError } from '../../../http/errors.ts'
import { named } from '../../../http/openapi/schemas.ts'
import { PROBLEM_JSON } from '../../../http/problem.ts'
import { noteStatus } from '../../../http/request-log.ts'
import { portfolio } from '../contract.ts'

export type UploadField = 'upload-offset' | 'upload-complete' | 'upload-length'

/** Parameters of an item (RFC 9651, 3.1.2), which have no meaning here. */
const PARAMETERS = String.raw`[ \t]*(?:;.*)?`
const INTEGER = new RegExp(`^(\\d{1,15})${PARAMETERS}$`)
const BOOLEAN = new RegExp(`^\\?([01])${PARAMETERS}$`)

/** Undefined when the field is missing or no integer from 0 on: the draft tells servers to ignore such a field. */
export function integerField(request: Request, name: UploadField): number | undefined {
  const digits = INTEGER.exec(request.headers.get(name)?.trim() ?? '')?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/** @throws AppError VALIDATION_FAILED when the field is missing or no boolean */
export function requiredBoolean(request: Request, name: UploadField): boolean {
  const bit = BOOLEAN.exec(request.headers.get(name)?.trim() ?? '')?.[1]
  if (bit === undefined) throw invalid(name, request.headers.has(name) ? 'format' : 'required')
  return bit === '1'
}

/** @throws AppError VALIDATION_FAILED when the field is missing or no integer from 0 on */
export function requiredInteger(request: Request, name: UploadField): number {
  const value = integerField(request, name)
  if (value === undefined) throw invalid(name, request.headers.has(name) ? 'format' : 'required')
  return value
}

export const booleanText = (value: boolean): string => (value ? '?1' : '?0')

const PROBLEM_TYPES = 'https://iana.org/assignments/http-problem-types#'
/** The draft's problem types. The one for a complete upload is that of version 11 and before. */
const PROBLEMS: Partial<Record<AppError['code'], { status: number; type: string }>> = {
  MISMATCHING_UPLOAD_OFFSET: { status: 409, type: `${PROBLEM_TYPES}mismatching-upload-offset` },
  INCONSISTENT_UPLOAD_LENGTH: { status: 400, type: `${PROBLEM_TYPES}inconsistent-upload-length` },
  UPLOAD_COMPLETED: { status: 400, type: `${PROBLEM_TYPES}completed-upload` },
  UPLOAD_INTERRUPTED: { status: 409, type: 'about:blank' },
  UPLOAD_COMPLETING: { status: 409, type: 'about:blank' },
}

/** The problem of a conflict; the offsets are there when the request has the wrong one. */
export const UploadProblem = t.Object({
  type: t.String(),
  title: t.String(),
  status: t.Integer(),
  detail: t.String(),
  'expected-offset': t.Optional(t.Integer()),
  'provided-offset': t.Optional(t.Integer()),
})
named({ UploadProblem })

/**
 * The answer to a request that failed: a problem of the draft, or an error of the contract.
 * @param processed the whole file has arrived, and the error is about its content
 */
export function failure(
  { ctx, request, limit }: { ctx: Context; request: Request; limit: string },
  thrown: unknown,
  processed: boolean,
): Response {
  const error = toAppError(thrown, ctx.log)
  const response = problemOf(request, error) ?? portfolio.errorResponse(error, request, ctx.log)
  response.headers.set('upload-complete', booleanText(processed))
  if (response.status === 413) response.headers.set('upload-limit', limit)
  return response
}

function problemOf(request: Request, { code, params }: AppError): Response | undefined {
  const problem = PROBLEMS[code]
  if (!problem) return undefined
  const { status, type } = problem
  const isMismatch = code === 'MISMATCHING_UPLOAD_OFFSET'
  const offsets = isMismatch && {
    'expected-offset': params.expectedOffset,
    'provided-offset': params.providedOffset,
  }
  const response = answer(request, {
    type,
    status,
    detail: portfolio.text(request, code, params),
    ...offsets,
  })
  if (isMismatch) response.headers.set('upload-offset', String(params.expectedOffset))
  return response
}

/** RFC 5789, 2.2: a patch document of a type that the server does not apply. */
export function wrongType(request: Request, accepted: string): Response {
  const detail = portfolio.text(request, 'issue.choice', { choices: accepted })
  const response = answer(request, { type: 'about:blank', status: 415, detail: `Content-Type ${detail}` })
  response.headers.set('accept-patch', accepted)
  return response
}

function answer(request: Request, problem: { type: string; status: number; detail: string }): Response {
  const { status } = problem
  noteStatus(request, status)
  const headers = { ...portfolio.headers, 'content-type': PROBLEM_JSON }
  return new Response(JSON.stringify({ title: STATUS_CODES[status], ...problem }), { status, headers })
}
