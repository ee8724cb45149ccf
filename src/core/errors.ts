import type { ErrorCode, IssueRule } from './errors/catalogue.ts'
import type { ErrorValue } from './errors/define.ts'

export type { ErrorCode, ErrorValue, IssueRule }

/** The part of the request in which the rejected value stands. */
export type InputPart = 'body' | 'query' | 'params'

/** One rule that the input breaks. */
export interface Issue {
  /** Dotted path of the field; empty for the part as a whole. */
  field: string
  rule: IssueRule
  /** Values for the text of the rule. */
  params?: Record<string, string | number>
}

export interface ErrorDetail {
  /** Values for the text. Contracts show them to the client too, so they never hold a secret. */
  params?: Record<string, ErrorValue>
  issues?: Issue[]
  part?: InputPart
}

/**
 * The only error that core throws for a caller to see. Domains declare the codes (`core/<domain>/errors.ts`), and each
 * contract maps them to its own status and code.
 */
export class AppError extends Error {
  override name = 'AppError'
  readonly params: Record<string, ErrorValue>
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

/**
 * Reads several values of a request, so that one answer names every field that is wrong.
 * @throws AppError VALIDATION_FAILED with the issues of all
 */
export function readTogether<T extends unknown[]>(...reads: { [K in keyof T]: () => T[K] }): T {
  const failed: AppError[] = []
  const values: unknown[] = []
  for (const read of reads) {
    try {
      values.push(read())
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'VALIDATION_FAILED')) throw error
      failed.push(error)
    }
  }
  const [first] = failed
  if (!first) return values as T
  throw new AppError('VALIDATION_FAILED', {
    part: first.part,
    issues: failed.flatMap(({ issues }) => issues),
  })
}

/** @param resource a singular noun in snake_case, such as `gpu_server`: clients see it in the error's details */
export const notFound = (resource: Lowercase<string>, id: string | number): AppError =>
  new AppError('NOT_FOUND', { params: { resource, id } })
