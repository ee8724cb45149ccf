import { STATUS_CODES } from 'node:http'
import type { ShownError } from './contract.ts'

export const PROBLEM_JSON = 'application/problem+json'

/** The members of an RFC 9457 problem. */
export const problem = ({ status, message, path }: ShownError) => ({
  type: 'about:blank',
  title: STATUS_CODES[status] ?? 'Error',
  status,
  detail: message,
  instance: path,
})
