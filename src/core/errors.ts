/**
 * The one error that core throws. Each contract maps `code` to its own status, code and body in an exhaustive table:
 * adding a code here fails to compile until every contract has an answer to it.
 */
export const ERROR_CODES = [
  'AUTHENTICATION_REQUIRED',
  'INVALID_TOKEN',
  'TOKEN_EXPIRED',
  'INVALID_CREDENTIALS',
  'INVALID_REFRESH_TOKEN',
  'INACTIVE_USER',
  'PERMISSION_DENIED',
  'NOT_FOUND',
  'METHOD_NOT_ALLOWED',
  'EMAIL_TAKEN',
  'USERNAME_TAKEN',
  'NAME_TAKEN',
  'INVALID_STATE',
  'LAST_SUPER_ADMIN',
  'INSUFFICIENT_BALANCE',
  'TASK_LIMIT_EXCEEDED',
  'UNKNOWN_MATERIAL_TYPE',
  'MATERIAL_HIDDEN',
  'ALREADY_DELETED',
  'FILE_TOO_LARGE',
  'UNSUPPORTED_FILE_TYPE',
  'UPLOAD_FAILED',
  'UPLOAD_TOO_SLOW',
  'TOO_MANY_UPLOADS',
  'CLEANUP_FAILED',
  'JOB_NOT_FOUND',
  'VALIDATION_FAILED',
  'PAYLOAD_TOO_LARGE',
  'INVALID_CODE',
  'INVALID_RANGE',
  'RUN_IN_PROGRESS',
  'RATE_LIMITED',
  'CLIENT_CLOSED',
  'DATABASE_UNAVAILABLE',
  'INTERNAL',
] as const
export type ErrorCode = (typeof ERROR_CODES)[number]

/** Where a value stood that did not fit. */
export type InputPart = 'body' | 'query' | 'params'

/** One thing that is wrong with the input; `rule` names its text in the catalogue. */
export interface Issue {
  /** Dotted path of the field; empty: the part as a whole. */
  field: string
  rule: IssueRule
  params?: Record<string, string | number>
}

export type IssueRule =
  | 'required'
  | 'type'
  | 'min_length'
  | 'max_length'
  | 'minimum'
  | 'maximum'
  | 'min_items'
  | 'max_items'
  | 'email'
  | 'username'
  | 'format'
  | 'choice'
  | 'json'
  | 'characters'
  | 'depth'
  | 'number'
  | 'task_kind'
  | 'current_password'
  | 'one_file'
  | 'multipart'
  | 'empty_file'
  | 'timezone'
  | 'recurrence'
  | 'recurrence_start'
  | 'window_cost'
  | 'attachment'
  | 'date'
  | 'redirect'
  | 'unknown'

export interface ErrorDetail {
  /** Values for the message, and for contracts that show details. Never a secret. */
  params?: Record<string, string | number>
  issues?: Issue[]
  part?: InputPart
}

export class AppError extends Error {
  override name = 'AppError'
  readonly params: Record<string, string | number>
  readonly issues: Issue[]
  readonly part: InputPart

  constructor(
    readonly code: ErrorCode,
    detail: ErrorDetail = {},
  ) {
    super(code)
    this.params = detail.params ?? {}
    this.issues = detail.issues ?? []
    this.part = detail.part ?? 'body'
  }
}

export const invalid = (field: string, rule: IssueRule, params?: Issue['params']): AppError =>
  new AppError('VALIDATION_FAILED', { issues: [params ? { field, rule, params } : { field, rule }] })

export const notFound = (
  resource:
    | 'task'
    | 'gpu_server'
    | 'user'
    | 'material'
    | 'file'
    | 'invite_code'
    | 'schedule_item'
    | 'agent_session',
  id: string | number,
): AppError => new AppError('NOT_FOUND', { params: { resource, id } })
