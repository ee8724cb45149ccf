import { expect } from 'bun:test'
import { recordAnswer } from './answer-examples.ts'
import { plainFetch } from './answers.ts'
import { routeOf, undocumented } from './openapi.ts'
import { noteAnswer } from './seen.ts'

export interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: a test reads any JSON
  body: any
  text: string
}

export interface Ask {
  token?: string | undefined
  /** Sent as JSON. */
  body?: unknown
  /** Sent as it is, as JSON. */
  raw?: string
  headers?: Record<string, string>
}

/** One request; the answer is parsed when it is JSON, and is one that the OpenAPI document describes. */
export async function api(
  server: { url: string },
  method: string,
  path: string,
  { token, body, raw, headers }: Ask = {},
): Promise<Answer> {
  const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body))
  const response = await plainFetch(server.url + path, {
    method,
    headers: {
      ...(payload !== undefined && { 'content-type': 'application/json' }),
      ...(token && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(payload !== undefined && { body: payload }),
  })
  const answer = await readAnswer(response)
  const route = routeOf(method, path)
  if (route) {
    expect(undocumented(route, answer)).toEqual([])
    noteAnswer(route.method, route.path, answer.status)
    recordAnswer(route, answer.status, answer.headers, answer.body)
  }
  return answer
}

/** The whole answer; `body` is undefined when it is no JSON. */
export async function readAnswer(response: Response): Promise<Answer> {
  const text = await response.text()
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    body = undefined
  }
  return { status: response.status, headers: response.headers, body, text }
}
