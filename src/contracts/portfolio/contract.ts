import { type TSchema, t } from 'elysia'
import type { Context } from '../../core/context.ts'
import type { MessageKey } from '../../core/messages.ts'
import { siteSettings } from '../../core/system/site-settings.ts'
import { defineContract, type ShownError } from '../../http/contract.ts'
import { integerText } from '../../http/integer-text.ts'
import { wrapping } from '../../http/openapi/schemas.ts'
import { requestIdOf } from '../../http/request-log.ts'

/** Lifetime of an access token: docs/contracts/portfolio.md, "Sign-in". */
export const ACCESS_MINUTES = 24 * 60

const Meta = t.Object({ timestamp: t.String({ format: 'date-time' }), request_id: t.String() })

/** The portfolio contract and its errors: docs/contracts/portfolio.md, "Errors". */
export const portfolio = defineContract({
  name: 'portfolio',
  language: 'en',
  errorContentType: 'application/json',
  headers: {
    'api-version': '1.0',
    'api-deprecated': 'false',
    // Most answers differ by reader, also where no sign-in is needed.
    'cache-control': 'private, no-cache',
  },
  limit: 'general',
  kinds: {
    unauthenticated: [401, 'AUTHENTICATION_REQUIRED'],
    forbidden: [403, 'PERMISSION_DENIED'],
    not_found: [404, 'RESOURCE_NOT_FOUND'],
    method_not_allowed: [405],
    conflict: [409, 'RESOURCE_CONFLICT'],
    invalid_state: [409, 'RESOURCE_CONFLICT'],
    invalid: [400, 'VALIDATION_ERROR'],
    too_large: [413, 'PAYLOAD_TOO_LARGE'],
    unsupported: [422, 'UNPROCESSABLE_ENTITY'],
    limited: [429, 'RATE_LIMIT_EXCEEDED'],
    timeout: [408, 'REQUEST_TIMEOUT'],
    closed: [499, 'CLIENT_CLOSED_REQUEST'],
    unavailable: [503, 'SERVICE_UNAVAILABLE'],
    failed: [500, 'INTERNAL_SERVER_ERROR'],
    internal: [500, 'INTERNAL_SERVER_ERROR'],
  },
  codes: {
    INVALID_TOKEN: [401],
    TOKEN_EXPIRED: [401],
    INVALID_REFRESH_TOKEN: [401, 'INVALID_TOKEN'],
    INACTIVE_USER: [401, 'INVALID_TOKEN'],
    INSUFFICIENT_BALANCE: [422, 'UNPROCESSABLE_ENTITY'],
    INVALID_RANGE: [422, 'UNPROCESSABLE_ENTITY'],
    UNKNOWN_PHOTO: [422, 'UNPROCESSABLE_ENTITY'],
    UNKNOWN_FILE: [422, 'UNPROCESSABLE_ENTITY'],
    HALF_A_PLACE: [422, 'UNPROCESSABLE_ENTITY'],
    PHOTO_CHANGED: [412, 'PRECONDITION_FAILED'],
    SETTINGS_CHANGED: [412, 'PRECONDITION_FAILED'],
    SETTING_NAMED_TWICE: [422, 'UNPROCESSABLE_ENTITY'],
    UNKNOWN_CATEGORY: [422, 'UNPROCESSABLE_ENTITY'],
    CATEGORY_CYCLE: [422, 'UNPROCESSABLE_ENTITY'],
    CATEGORY_TOO_DEEP: [422, 'UNPROCESSABLE_ENTITY'],
    UNKNOWN_PHOTOS: [422, 'UNPROCESSABLE_ENTITY'],
    DIGEST_MISMATCH: [422, 'UNPROCESSABLE_ENTITY'],
    CHUNK_OUT_OF_RANGE: [422, 'UNPROCESSABLE_ENTITY'],
    CHUNK_SIZE_MISMATCH: [422, 'UNPROCESSABLE_ENTITY'],
    CHUNKS_MISSING: [422, 'UNPROCESSABLE_ENTITY'],
    TOO_MANY_CHUNKS: [422, 'UNPROCESSABLE_ENTITY'],
    TOO_MANY_PIECES: [422, 'UNPROCESSABLE_ENTITY'],
    WEBHOOK_ADDRESS_NOT_PUBLIC: [422, 'UNPROCESSABLE_ENTITY'],
    IDEMPOTENCY_KEY_REUSED: [422],
    IDEMPOTENCY_KEY_IN_USE: [409],
  },
  errorModel: t.Object({
    success: t.Literal(false),
    code: t.Integer(),
    message: t.String(),
    error: t.Object({ type: t.String(), details: t.Any() }),
    meta: Meta,
  }),
  errorBody: (error) => ({
    success: false,
    code: error.status,
    message: error.message,
    error: { type: error.code, details: detailsOf(error) },
    meta: metaOf(error.requestId),
  }),
})

/** Rules of which the document shows another code than their name. */
const RULE_CODES: Partial<Record<string, string>> = { email: 'INVALID_FORMAT', format: 'INVALID_FORMAT' }

function detailsOf({ issues, params: { resource, id, ...params } }: ShownError): object {
  if (issues.length > 0)
    return issues.map(({ field, message, rule }) => ({
      field,
      message,
      code: RULE_CODES[rule] ?? rule.toUpperCase(),
    }))
  return resource === undefined ? params : { resource_type: resource, resource_id: id, ...params }
}

const metaOf = (requestId: string) => ({ timestamp: new Date().toISOString(), request_id: requestId })

/** What every success has around its `data`. */
const around = { success: t.Literal(true), code: t.Integer(), message: t.String(), meta: Meta }

export const Envelope = <T extends Parameters<typeof t.Optional>[0]>(data: T) =>
  wrapping(data, 'Answer', t.Object({ ...around, data }))

/** A success in the portfolio's envelope. `code` repeats the HTTP status. */
export const envelope = <T>(request: Request, data: T, code = 200, key: MessageKey = 'success') => ({
  success: true as const,
  code,
  message: portfolio.text(request, key),
  data,
  meta: metaOf(requestIdOf(request)),
})

/** The fields of the query of a list with pages. */
export const pageQuery = {
  page: integerText({ minimum: 1, maximum: 1_000_000, default: 1 }),
  limit: integerText({ minimum: 1, maximum: 100, default: 20 }),
}

/** The same of a list of photos, whose pages are as long as the site says unless the client does. */
export const photoPageQuery = {
  page: pageQuery.page,
  limit: t.Optional(integerText({ minimum: 1, maximum: 100 })),
}

/** The query of a list of photos, with the length of its pages. */
export async function withLimit<Q extends { limit?: number }>(
  ctx: Context,
  query: Q,
): Promise<Q & { limit: number }> {
  return { ...query, limit: query.limit ?? (await siteSettings(ctx)).display.photosPerPage }
}

const Pagination = t.Object({
  page: t.Integer(),
  limit: t.Integer(),
  total: t.Integer(),
  total_pages: t.Integer(),
  has_next: t.Boolean(),
  has_prev: t.Boolean(),
})

/** @param data of the whole page, such as `t.Array(Photo)` */
export const PageEnvelope = <T extends Parameters<typeof t.Optional>[0]>(data: T) =>
  wrapping(data as TSchema, 'Page', t.Object({ ...around, data, pagination: Pagination }))

/** @param total how many items all pages have together */
export function pageEnvelope<T>(
  request: Request,
  data: T,
  total: number,
  { page, limit }: { page: number; limit: number },
) {
  const totalPages = Math.ceil(total / limit)
  const pagination = {
    page,
    limit,
    total,
    total_pages: totalPages,
    has_next: page < totalPages,
    has_prev: page > 1,
  }
  return { ...envelope(request, data), pagination }
}
