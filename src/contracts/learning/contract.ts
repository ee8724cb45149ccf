import { t } from 'elysia'
import { defineContract } from '../../http/contract.ts'
import { problem } from '../../http/problem.ts'

/** The learning contract: learning.md, "错误处理"; runtime's RFC 9457 members stand beside it (DESIGN 2.10). */
export const learning = defineContract({
  name: 'learning',
  language: 'en',
  errorContentType: 'application/json',
  errors: {
    AUTHENTICATION_REQUIRED: [401, 'UNAUTHORIZED'],
    INVALID_TOKEN: [401, 'INVALID_TOKEN'],
    TOKEN_EXPIRED: [401, 'INVALID_TOKEN'],
    INVALID_CREDENTIALS: [401, 'UNAUTHORIZED'],
    INVALID_REFRESH_TOKEN: [401, 'INVALID_TOKEN'],
    INACTIVE_USER: [403, 'INACTIVE_USER'],
    PERMISSION_DENIED: [403, 'FORBIDDEN'],
    NOT_FOUND: [404, 'NOT_FOUND'],
    METHOD_NOT_ALLOWED: [405, 'METHOD_NOT_ALLOWED'],
    EMAIL_TAKEN: [400, 'EMAIL_ALREADY_EXISTS'],
    USERNAME_TAKEN: [409, 'USERNAME_ALREADY_EXISTS'],
    NAME_TAKEN: [409, 'NAME_ALREADY_EXISTS'],
    INVALID_STATE: [400, 'INVALID_STATUS'],
    LAST_SUPER_ADMIN: [409, 'LAST_SUPER_ADMIN'],
    INSUFFICIENT_BALANCE: [400, 'INSUFFICIENT_BALANCE'],
    TASK_LIMIT_EXCEEDED: [429, 'RATE_LIMIT_EXCEEDED'],
    UNKNOWN_MATERIAL_TYPE: [400, 'INVALID_TYPE'],
    MATERIAL_HIDDEN: [400, 'INVALID_STATUS'],
    ALREADY_DELETED: [400, 'ALREADY_DELETED'],
    FILE_TOO_LARGE: [413, 'FILE_TOO_LARGE'],
    UNSUPPORTED_FILE_TYPE: [415, 'UNSUPPORTED_FILE_TYPE'],
    UPLOAD_FAILED: [500, 'UPLOAD_FAILED'],
    CLEANUP_FAILED: [500, 'CLEANUP_FAILED'],
    JOB_NOT_FOUND: [404, 'JOB_NOT_FOUND'],
    VALIDATION_FAILED: [422, 'VALIDATION_ERROR'],
    PAYLOAD_TOO_LARGE: [413, 'FILE_TOO_LARGE'],
    RATE_LIMITED: [429, 'RATE_LIMIT_EXCEEDED'],
    DATABASE_UNAVAILABLE: [503, 'DATABASE_ERROR'],
    INTERNAL: [500, 'INTERNAL_ERROR'],
  },
  validationStatus: (part) => (part === 'body' ? 422 : 400),
  errorModel: t.Object({
    error: t.Object({ code: t.String(), message: t.String(), details: t.Record(t.String(), t.Any()) }),
    type: t.String(),
    title: t.String(),
    status: t.Integer(),
    detail: t.String(),
    instance: t.String(),
  }),
  errorBody: (error) => ({
    ...problem(error),
    error: {
      code: error.code,
      message: error.message,
      details:
        error.issues.length > 0
          ? Object.fromEntries(error.issues.map(({ field, message }) => [field, message]))
          : error.params,
    },
  }),
})
