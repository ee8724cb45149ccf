import { defineContract } from '../../http/contract.ts'
import { PROBLEM_JSON, ProblemWithError, problemWithError } from '../../http/problem.ts'

/** Lifetime of an access token: docs/contracts/runtime.md, "Sessions". */
export const ACCESS_MINUTES = 60

/** The runtime contract's errors: docs/contracts/runtime.md, "Errors". */
export const runtime = defineContract({
  name: 'runtime',
  language: 'zh',
  errorContentType: PROBLEM_JSON,
  kinds: {
    unauthenticated: [401],
    forbidden: [403],
    not_found: [404],
    method_not_allowed: [405],
    conflict: [409],
    invalid_state: [409],
    invalid: [422, 'VALIDATION_ERROR'],
    too_large: [413],
    unsupported: [415],
    limited: [429, 'RATE_LIMIT_EXCEEDED'],
    timeout: [408, 'REQUEST_TIMEOUT'],
    closed: [499, 'CLIENT_CLOSED_REQUEST'],
    unavailable: [503, 'SERVICE_UNAVAILABLE'],
    failed: [500],
    internal: [500, 'INTERNAL_ERROR'],
  },
  codes: {
    AUTHENTICATION_REQUIRED: [401, 'UNAUTHORIZED'],
    INVALID_REFRESH_TOKEN: [401, 'INVALID_TOKEN'],
    PERMISSION_DENIED: [403, 'FORBIDDEN'],
    EMAIL_TAKEN: [409, 'EMAIL_ALREADY_EXISTS'],
    USERNAME_TAKEN: [409, 'USERNAME_ALREADY_EXISTS'],
    NAME_TAKEN: [409, 'NAME_ALREADY_EXISTS'],
    MATERIAL_HIDDEN: [409, 'INVALID_STATE'],
    UNKNOWN_MATERIAL_TYPE: [422, 'INVALID_TYPE'],
    INVALID_RANGE: [400],
    IDEMPOTENCY_KEY_REUSED: [422],
  },
  errorModel: ProblemWithError,
  errorBody: problemWithError,
})
