import { t } from 'elysia'
import { defineContract } from '../../http/contract.ts'

/** The portfolio contract's errors: docs/contracts/portfolio.md, "Errors". */
export const portfolio = defineContract({
  name: 'portfolio',
  language: 'en',
  errorContentType: 'application/json',
  errors: {
    AUTHENTICATION_REQUIRED: [401, 'AUTHENTICATION_REQUIRED'],
    INVALID_TOKEN: [401, 'INVALID_TOKEN'],
    TOKEN_EXPIRED: [401, 'TOKEN_EXPIRED'],
    INVALID_CREDENTIALS: [401, 'AUTHENTICATION_REQUIRED'],
    INVALID_REFRESH_TOKEN: [401, 'INVALID_TOKEN'],
    INACTIVE_USER: [401, 'INVALID_TOKEN'],
    PERMISSION_DENIED: [403, 'PERMISSION_DENIED'],
    NOT_FOUND: [404, 'RESOURCE_NOT_FOUND'],
    METHOD_NOT_ALLOWED: [405, 'METHOD_NOT_ALLOWED'],
    EMAIL_TAKEN: [409, 'RESOURCE_CONFLICT'],
    USERNAME_TAKEN: [409, 'RESOURCE_CONFLICT'],
    NAME_TAKEN: [409, 'RESOURCE_CONFLICT'],
    INVALID_STATE: [409, 'RESOURCE_CONFLICT'],
    LAST_SUPER_ADMIN: [409, 'RESOURCE_CONFLICT'],
    INSUFFICIENT_BALANCE: [422, 'UNPROCESSABLE_ENTITY'],
    TASK_LIMIT_EXCEEDED: [429, 'RATE_LIMIT_EXCEEDED'],
    UNKNOWN_MATERIAL_TYPE: [400, 'VALIDATION_ERROR'],
    MATERIAL_HIDDEN: [409, 'RESOURCE_CONFLICT'],
    ALREADY_DELETED: [409, 'RESOURCE_CONFLICT'],
    FILE_TOO_LARGE: [413, 'PAYLOAD_TOO_LARGE'],
    UNSUPPORTED_FILE_TYPE: [415, 'UNSUPPORTED_FILE_TYPE'],
    UPLOAD_FAILED: [500, 'INTERNAL_SERVER_ERROR'],
    UPLOAD_TOO_SLOW: [408, 'REQUEST_TIMEOUT'],
    TOO_MANY_UPLOADS: [429, 'RATE_LIMIT_EXCEEDED'],
    CLEANUP_FAILED: [500, 'INTERNAL_SERVER_ERROR'],
    JOB_NOT_FOUND: [404, 'RESOURCE_NOT_FOUND'],
    VALIDATION_FAILED: [400, 'VALIDATION_ERROR'],
    PAYLOAD_TOO_LARGE: [413, 'PAYLOAD_TOO_LARGE'],
    INVALID_CODE: [401, 'AUTHENTICATION_REQUIRED'],
    INVALID_RANGE: [422, 'UNPROCESSABLE_ENTITY'],
    RUN_IN_PROGRESS: [409, 'RESOURCE_CONFLICT'],
    RATE_LIMITED: [429, 'RATE_LIMIT_EXCEEDED'],
    CLIENT_CLOSED: [499, 'CLIENT_CLOSED_REQUEST'],
    DATABASE_UNAVAILABLE: [503, 'SERVICE_UNAVAILABLE'],
    INTERNAL: [500, 'INTERNAL_SERVER_ERROR'],
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
