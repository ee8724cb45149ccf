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
    EMAIL_TAKEN: [409, 'EMAIL_ALREADY_EXISTS'],
    USERNAME_TAKEN: [409, 'USERNAME_ALREADY_EXISTS'],
    NAME_TAKEN: [409, 'NAME_ALREADY_EXISTS'],
    INSUFFICIENT_BALANCE: [400],
    INVALID_RECHARGE_CODE: [400],
    IDEMPOTENCY_KEY_REUSED: [422],
