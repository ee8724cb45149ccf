/** Compares every answer that a test gets from a server with the OpenAPI document, whoever sends the request by `fetch`. */
import { protocolMisfits, settles } from './misfits.ts'
import { noteAnswer } from './seen.ts'

type Fetched = Awaited<ReturnType<typeof fetch>>

const origins = new Set<string>()

/** @param url of a server whose answers are those of the document of this repository */
export const watchAnswersOf = (url: string): void => void origins.add(new URL(url).origin)

/** Without the comparison, for who compares the answer itself. */
export const plainFetch = globalThis.fetch

const watchingFetch = async (...[input, init]: Parameters<typeof fetch>): Promise<Fetched> => {
  const response = await plainFetch(input, init)
  const request = input instanceof Request ? input : undefined
  const url = new URL(request?.url ?? String(input))
  const method = (init?.method ?? request?.method ?? 'GET').toUpperCase()
  // The clone is made before the test reads the answer.
  if (origins.has(url.origin))
    settles(compare(method, url.pathname, isShortJson(response) ? (response.clone() as Fetched) : response))
  return response
}
globalThis.fetch = Object.assign(watchingFetch, plainFetch)

/** In bytes. A test that gives up a longer body waits for ever for its clone: Bun 1.4.5. */
const MOST = 32 * 1024

/** A body without a length may never end. */
const isShortJson = ({ headers }: Fetched): boolean =>
  Number(headers.get('content-length') ?? Number.POSITIVE_INFINITY) <= MOST &&
  /^[^;]*[/+]json(;|$)/.test(headers.get('content-type') ?? '')

async function compare(method: string, path: string, response: Fetched): Promise<void> {
  const { routeOf, undocumented, undocumentedHead } = await import('./openapi.ts')
  // HEAD has what GET has but the body.
  const isHead = method === 'HEAD'
  const route = routeOf(isHead ? 'GET' : method, path)
  if (!route) return
  if (!isHead) noteAnswer(method, route.path, response.status)
  if (isHead || !isShortJson(response)) return void protocolMisfits.push(...undocumentedHead(route, response))
  const text = await response.text()
  const { status, headers } = response
  protocolMisfits.push(...undocumented(route, { status, headers, text, body: JSON.parse(text) }))
}
