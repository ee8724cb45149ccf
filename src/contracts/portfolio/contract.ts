import { t } from 'elysia'
import { defineContract } from '../../http/contract.ts'

/** The portfolio contract and its errors: docs/contracts/portfolio.md, "Errors". */
export const portfolio = defineContract({
  name: 'portfolio',
  language: 'en',
  errorContentType: 'application/json',
  kinds: {
    unauthenticated: [401, 'AUTHENTICATION_REQUIRED'],
    forbidden: [403, 'PERMISSION_DENIED'],
    not_found: [404, 'RESOURCE_NOT_FOUND'],
    method_not_allowed: [405],
    conflict: [409, 'RESOURCE_CONFLICT'],
    invalid_state: [409, 'RESOURCE_CONFLICT'],
    invalid: [400, 'VALIDATION_ERROR'],
    too_large: [413, 'PAYLOAD_TOO_LARGE'],
    unsupported: [415],
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
  },
  errorModel: t.Object({
    success: t.Literal(false),
    code: t.Integer(),
    message: t.String(),
    error: t.Object({ type: t.String(), details: t.Any() }),
    meta: t.Object({ timestamp: t.String(), request_id: t.String() }),
  }),
  errorBody: ({ status, code, message, issues, params, requestId }) => ({
    success: false,
    code: status,
    message,
    error: {
      type: code,
      details:
        issues.length > 0
          ? issues.map(({ field, message, rule }) => ({ field, message, code: rule.toUpperCase() }))
          : params,
    },
    meta: { timestamp: new Date().toISOString(), request_id: requestId },
  }),
})
