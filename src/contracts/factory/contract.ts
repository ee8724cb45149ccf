import { t } from 'elysia'
import type { MessageKey } from '../../core/messages.ts'
import { defineContract } from '../../http/contract.ts'
import { wrapping } from '../../http/openapi/schemas.ts'

/** The factory contract's errors: docs/contracts/factory.md, "Errors". `detail` is for study's clients. */
export const factory = defineContract({
  name: 'factory',
  language: 'zh',
  errorContentType: 'application/json',
  errors: {
    AUTHENTICATION_REQUIRED: [401, 'INVALID_CREDENTIALS'],
    INVALID_TOKEN: [401, 'INVALID_CREDENTIALS'],
    TOKEN_EXPIRED: [401, 'INVALID_CREDENTIALS'],
    INVALID_CREDENTIALS: [401, 'INVALID_CREDENTIALS'],
    INVALID_REFRESH_TOKEN: [401, 'INVALID_CREDENTIALS'],
    INACTIVE_USER: [403, 'ACCESS_DENIED'],
    PERMISSION_DENIED: [403, 'ACCESS_DENIED'],
    NOT_FOUND: [404, 'RESOURCE_NOT_FOUND'],
    METHOD_NOT_ALLOWED: [405, 'METHOD_NOT_ALLOWED'],
    EMAIL_TAKEN: [409, 'EMAIL_ALREADY_EXISTS'],
    USERNAME_TAKEN: [409, 'USERNAME_ALREADY_EXISTS'],
    NAME_TAKEN: [409, 'NAME_ALREADY_EXISTS'],
    INVALID_STATE: [409, 'INVALID_STATE'],
    LAST_SUPER_ADMIN: [409, 'LAST_SUPER_ADMIN'],
    INSUFFICIENT_BALANCE: [400, 'INSUFFICIENT_BALANCE'],
    TASK_LIMIT_EXCEEDED: [429, 'TASK_LIMIT_EXCEEDED'],
    UNKNOWN_MATERIAL_TYPE: [422, 'VALIDATION_ERROR'],
    MATERIAL_HIDDEN: [409, 'INVALID_STATE'],
    ALREADY_DELETED: [409, 'INVALID_STATE'],
    FILE_TOO_LARGE: [413, 'PAYLOAD_TOO_LARGE'],
    UNSUPPORTED_FILE_TYPE: [415, 'UNSUPPORTED_FILE_TYPE'],
    UPLOAD_FAILED: [500, 'INTERNAL_ERROR'],
    UPLOAD_TOO_SLOW: [408, 'REQUEST_TIMEOUT'],
    TOO_MANY_UPLOADS: [429, 'RATE_LIMIT_EXCEEDED'],
    CLEANUP_FAILED: [500, 'INTERNAL_ERROR'],
    JOB_NOT_FOUND: [404, 'RESOURCE_NOT_FOUND'],
    VALIDATION_FAILED: [422, 'VALIDATION_ERROR'],
    PAYLOAD_TOO_LARGE: [413, 'PAYLOAD_TOO_LARGE'],
    INVALID_CODE: [401, 'INVALID_CODE'],
    INVALID_RANGE: [422, 'VALIDATION_ERROR'],
    RUN_IN_PROGRESS: [409, 'RUN_IN_PROGRESS'],
    RATE_LIMITED: [429, 'RATE_LIMIT_EXCEEDED'],
    CLIENT_CLOSED: [499, 'CLIENT_CLOSED_REQUEST'],
    DATABASE_UNAVAILABLE: [503, 'SERVER_UNAVAILABLE'],
    INTERNAL: [500, 'INTERNAL_ERROR'],
  },
  errorModel: t.Object({
    success: t.Literal(false),
    message: t.String(),
    error_code: t.String(),
    details: t.Record(t.String(), t.Any()),
    detail: t.String(),
  }),
  errorBody: ({ code, message, issues, params }) => ({
    success: false,
    message,
    error_code: code,
    details: issues.length > 0 ? { field_errors: byField(issues) } : params,
    detail: message,
  }),
})

function byField(issues: { field: string; message: string }[]): Record<string, string[]> {
  // Without a prototype: a field that a client named may be called `constructor`.
  const fields: Record<string, string[]> = Object.create(null)
  for (const { field, message } of issues) {
    fields[field] ??= []
    fields[field].push(message)
  }
  return fields
}

export const Envelope = <T extends Parameters<typeof t.Optional>[0]>(data: T) =>
  wrapping(
    data,
    'Envelope',
    t.Object({ success: t.Literal(true), message: t.String(), data, error_code: t.Null() }),
  )

/** A success in the factory's envelope. */
export const envelope = <T>(request: Request, data: T, key: MessageKey = 'ok') => ({
  success: true as const,
  message: factory.text(request, key),
  data,
  error_code: null,
})
