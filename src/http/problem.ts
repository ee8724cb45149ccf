import { STATUS_CODES } from 'node:http'
import { t } from 'elysia'
import type { ShownError } from './contract.ts'
import { named } from './openapi/schemas.ts'

export const PROBLEM_JSON = 'application/problem+json'

/** The problem type of a rate limit: draft-ietf-httpapi-ratelimit-headers-11, "Quota Exceeded". */
const QUOTA_EXCEEDED = {
  type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
  title: 'Request cannot be satisfied as assigned quota has been exceeded',
}

/** The members of an RFC 9457 problem. */
export const problem = ({ status, message, path, params: { policy } }: ShownError) => ({
  type: 'about:blank',
  title: STATUS_CODES[status] ?? 'Error',
  ...(policy !== undefined && { ...QUOTA_EXCEEDED, 'violated-policies': [policy] }),
  status,
  detail: message,
  instance: path,
})

/** The error body of `/api/v1`: docs/design.md, "Error bodies". */
export const problemWithError = (error: ShownError) => ({
  ...problem(error),
  error: {
    code: error.code,
    message: error.message,
    details:
      error.issues.length > 0
        ? Object.fromEntries(error.issues.map(({ field, message }) => [field, message]))
        : error.params,
  },
})

export const ProblemWithError = t.Object({
  error: t.Object({ code: t.String(), message: t.String(), details: t.Record(t.String(), t.Any()) }),
  type: t.String(),
  title: t.String(),
  status: t.Integer(),
  detail: t.String(),
  instance: t.String(),
  'violated-policies': t.Optional(t.Array(t.String())),
})

named({ Problem: ProblemWithError })
