import { Elysia } from 'elysia'
import type { Logger } from '../util/logger.ts'
import type { ShownPaths } from '../util/shown-path.ts'
import type { RequestMetrics } from './request-metrics.ts'

/** The status in the log of a request whose client disconnected. No client gets it. */
const CLIENT_CLOSED = 499

interface Started {
  id: string
  at: number
  server: Bun.Server<unknown> | null
  /** Of the answer to an error. Elysia records another status then. */
  status?: number
}

const started = new WeakMap<Request, Started>()

export const requestIdOf = (request: Request): string => started.get(request)?.id ?? ''

/** The address at the other end of the request's connection. */
export const peerOf = (request: Request): string | undefined =>
  started.get(request)?.server?.requestIP(request)?.address

/** Tells the log the status of the answer to a failed request. */
export function noteStatus(request: Request, status: number): void {
  const start = started.get(request)
  if (start) start.status = status
}

/**
 * One line a request, with the id that the answer carries as `x-request-id`, and its metrics. The path is logged as
 * `ShownPaths` has it, and without its query, because both may hold a token.
 */
export function requestLog(log: Logger, metrics: RequestMetrics, paths: ShownPaths) {
  const run = crypto.randomUUID().slice(0, 8)
  let count = 0
  return new Elysia({ name: 'request-log' })
    .onRequest(({ request, server, set }) => {
      const id = `req_${run}${(++count).toString(36)}`
      started.set(request, { id, at: performance.now(), server })
      set.headers['x-request-id'] = id
      set.headers['x-content-type-options'] = 'nosniff'
    })
    .onAfterResponse({ as: 'global' }, ({ request, route, set, response }) => {
      const start = started.get(request)
      if (!start) return
      const status = start.status ?? (response instanceof Response ? response.status : (set.status ?? 200))
      metrics.count(request.method, route, Number(status) || 200, performance.now() - start.at)
      if (!log.isLevelEnabled('info')) return
      const line = (status: number | string) => ({
        id: start.id,
        method: request.method,
        path: paths.of(request, route),
        status,
        ms: Math.round((performance.now() - start.at) * 10) / 10,
      })
      // Clients disconnect often, and no operator has to look at it.
      if (status === CLIENT_CLOSED) log.debug(line(status), 'request')
      else log.info(line(status), 'request')
      if (status === CLIENT_CLOSED || !log.isLevelEnabled('debug')) return
      // The server may still be sending a stream or a large file.
      const left = () => log.debug(line(CLIENT_CLOSED), 'the client left before the end of the answer')
      if (request.signal.aborted) left()
      else request.signal.addEventListener('abort', left, { once: true })
    })
}
