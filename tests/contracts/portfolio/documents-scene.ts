/** Requests as the portfolio contract's document prints them, and the answers that it promises. */
import { expect } from 'bun:test'
import type { Answer } from '../../support/api.ts'
import { curl } from '../../support/curl.ts'
import type { TestServer } from '../../support/server.ts'
import { expectAnswer, type Shape } from '../../support/shapes.ts'
import { enveloped, PAGINATION } from './shapes.ts'

export const BEARER = 'Authorization: Bearer {token}'
export const JSON_BODY = 'Content-Type: application/json'

/** Sends a request that is printed as a request line, header fields and a body. */
export const sendTo =
  ({ url }: TestServer) =>
  (printed: string, token = ''): Promise<Answer> => {
    const lines = printed.split('\n')
    const body = lines.findIndex((line) => line.startsWith('{'))
    const [request = '', ...fields] = body < 0 ? lines : lines.slice(0, body)
    const [method, path] = request.split(' ')
    return curl([
      ...['-X', method!, `${url}${path}`],
      ...fields.flatMap((field) => ['-H', field.replace('{token}', token)]),
      ...(body < 0 ? [] : ['--data-binary', lines.slice(body).join('\n')]),
    ])
  }

/** A success with this `data`: docs/contracts/portfolio.md, "Conventions". */
export function expectData(
  answer: Answer,
  status: number,
  data: Shape,
  beside: Record<string, Shape> = {},
): void {
  expectAnswer(answer, status, { ...enveloped(data), ...beside })
  expect(answer.body.code).toBe(status)
  expectVersion(answer)
  expect(answer.headers.get('cache-control')).toBe('private, no-cache')
  expect(answer.headers.get('x-request-id')).toBe(answer.body.meta.request_id)
}

export function expectPage(
  answer: Answer,
  data: Shape,
  pagination: object,
  beside: Record<string, Shape> = {},
): void {
  expectData(answer, 200, data, { pagination: PAGINATION, ...beside })
  expect(answer.body.pagination).toMatchObject(pagination)
}

export function expectNothing(answer: Answer): void {
  expect({ status: answer.status, text: answer.text }).toEqual({ status: 204, text: '' })
  expectVersion(answer)
}

/** No route is deprecated: docs/contracts/portfolio.md, "Versions". */
function expectVersion({ headers }: Answer): void {
  expect(headers.get('api-version')).toBe('1.0')
  expect(headers.get('api-deprecated')).toBe('false')
  expect(headers.get('api-sunset')).toBeNull()
}

export const ONE_PAGE = { page: 1, limit: 20, total: 1, total_pages: 1, has_next: false, has_prev: false }
