import { defineContract } from '../../http/contract.ts'
import { ProblemWithError, problemWithError } from '../../http/problem.ts'

/** The learning contract's errors: docs/contracts/learning.md, "Errors". */
export const learning = defineContract({
  name: 'learning',
  language: 'en',
  errorContentType: 'application/json',
  kinds: {
    unauthenticated: [401, 'UNAUTHORIZED'],
    forbidden: [403, 'FORBIDDEN'],
    not_found: [404, 'NOT_FOUND'],
    method_not_allowed: [405],
    conflict: [409],
    invalid_state: [400, 'INVALID_STATUS'],
    invalid: [400, 'VALIDATION_ERROR'],
    too_large: [413, 'FILE_TOO_LARGE'],
    unsupported: [415],
    limited: [429, 'RATE_LIMIT_EXCEEDED'],
    timeout: [408, 'REQUEST_TIMEOUT'],
    closed: [499, 'CLIENT_CLOSED_REQUEST'],
    unavailable: [503, 'DATABASE_ERROR'],
    failed: [500],
    internal: [500, 'INTERNAL_ERROR'],
  },
  codes: {
    INVALID_TOKEN: [401],
    TOKEN_EXPIRED: [401, 'INVALID_TOKEN'],
    INVALID_REFRESH_TOKEN: [401, 'INVALID_TOKEN'],
    INVALID_CODE: [401],
    INACTIVE_USER: [403],
    JOB_NOT_FOUND: [404],
    EMAIL_TAKEN: [400, 'EMAIL_ALREADY_EXISTS'],
    USERNAME_TAKEN: [409, 'USERNAME_ALREADY_EXISTS'],
    NAME_TAKEN: [409, 'NAME_ALREADY_EXISTS'],
    ALREADY_DELETED: [400],
    INSUFFICIENT_BALANCE: [400],
    UNKNOWN_MATERIAL_TYPE: [400, 'INVALID_TYPE'],
    VALIDATION_FAILED: [422, 'VALIDATION_ERROR'],
  },
  validationStatus: (part) => (part === 'body' ? 422 : 400),
  errorModel: ProblemWithError,
  errorBody: problemWithError,
})
