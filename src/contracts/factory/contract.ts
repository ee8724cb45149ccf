import { t } from 'elysia'
import type { MessageKey } from '../../core/messages.ts'
import { defineContract } from '../../http/contract.ts'
import { wrapping } from '../../http/openapi/schemas.ts'

/** The factory contract and its errors: docs/contracts/factory.md, "Errors". `detail` is for clients of study. */
export const factory = defineContract({
  name: 'factory',
  language: 'zh',
  errorContentType: 'application/json',
  kinds: {
    unauthenticated: [401, 'INVALID_CREDENTIALS'],
    forbidden: [403, 'ACCESS_DENIED'],
    not_found: [404, 'RESOURCE_NOT_FOUND'],
    method_not_allowed: [405],
    conflict: [409],
    invalid_state: [409, 'INVALID_STATE'],
    invalid: [422, 'VALIDATION_ERROR'],
    too_large: [413, 'PAYLOAD_TOO_LARGE'],
    unsupported: [415],
    limited: [429, 'RATE_LIMIT_EXCEEDED'],
    timeout: [408, 'REQUEST_TIMEOUT'],
    closed: [499, 'CLIENT_CLOSED_REQUEST'],
    unavailable: [503, 'SERVER_UNAVAILABLE'],
    failed: [500, 'INTERNAL_ERROR'],
    internal: [500, 'INTERNAL_ERROR'],
  },
  codes: {
    INVALID_CODE: [401],
    INVALID_RESET_TOKEN: [400],
    EMAIL_TAKEN: [409, 'EMAIL_ALREADY_EXISTS'],
    USERNAME_TAKEN: [409, 'USERNAME_ALREADY_EXISTS'],
    NAME_TAKEN: [409, 'NAME_ALREADY_EXISTS'],
    INSUFFICIENT_BALANCE: [400],
    COURSE_PROVIDER_FAILED: [502],
    COURSE_ACCOUNT_MISSING: [400],
    COURSE_ACCOUNT_REFUSED: [400],
    TASK_LIMIT_EXCEEDED: [429],
    INVALID_RECHARGE_CODE: [400],
    IDEMPOTENCY_KEY_REUSED: [422],
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
  // Without a prototype, because a client may send a field with the name `constructor`.
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
