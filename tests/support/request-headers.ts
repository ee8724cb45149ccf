/** Compares the header fields that a route reads of its requests with those that the OpenAPI document says it reads. */
import type { AnyElysia } from 'elysia'
import { protocolMisfits, settles } from './misfits.ts'
import { noteRequestHeader } from './seen.ts'

/**
 * Header fields that the document does not list for an operation: those that the server reads of every request, and those that
 * OpenAPI describes as content types and as security.
 */
const UNLISTED =
  /^(accept(-encoding|-language)?|access-control-request-.*|authorization|content-(length|type)|host|origin|transfer-encoding|upgrade|user-agent|x-forwarded-for)$/

/** Each request by its `headers`, which stay the same object as long as the request lives. */
const requests = new WeakMap<Headers, Request>()

export const watchRequestsOf = (app: AnyElysia): void =>
  void app.onRequest(({ request }) => void requests.set(request.headers, request))

for (const read of ['get', 'has'] as const) {
  const plain = Headers.prototype[read] as (name: string) => unknown
  const watching = function (this: Headers, name: string) {
    const request = requests.get(this)
    if (request && !UNLISTED.test(name.toLowerCase())) settles(compare(request, name.toLowerCase()))
    return plain.call(this, name)
  }
  Object.assign(Headers.prototype, { [read]: watching })
}

async function compare({ method, url }: Request, name: string): Promise<void> {
  const { documentedRequestHeaders, routeOf } = await import('./openapi.ts')
  const route = routeOf(method === 'HEAD' ? 'GET' : method, new URL(url).pathname)
  if (!route) return
  const documented = documentedRequestHeaders(route).find((one) => one.toLowerCase() === name)
  if (documented) noteRequestHeader(route.method, route.path, documented)
  else protocolMisfits.push(`${route.method} ${route.path} reads ${name}, which is not documented`)
}
