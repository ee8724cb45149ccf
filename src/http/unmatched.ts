import { AppError } from '../core/errors.ts'
import type { Logger } from '../util/logger.ts'
import { urlOf } from '../util/url-of.ts'
import type { Contract } from './contract.ts'
import { noteStatus } from './request-log.ts'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

/** The part of Elysia that knows the routes. */
interface Routed {
  router: {
    /** For each path without parameters, and each method, the index of the route. */
    static: Record<string, Record<string, number | undefined>>
    /** Paths with parameters. */
    http: { find(method: string, path: string): unknown }
  }
}

/**
 * Answers a request that no route takes, as docs/design.md, "Unmatched paths" says: 405 with `Allow` when the path has
 * another method, else 404. Base URLs are given longest first, the empty one last.
 * @param checkLimit counts the request, and throws when it is one too many
 * @param optionsOf header fields of the answer to OPTIONS for a path, besides `Allow`
 */
export async function answerUnmatched(
  app: Routed,
  bases: [prefix: string, contract: Contract][],
  optionsOf: (path: string) => Promise<Record<string, string>>,
  checkLimit: (contract: Contract) => Promise<void>,
  { error, request, log }: { error: unknown; request: Request; log: Logger },
): Promise<Response> {
  const { pathname } = urlOf(request)
  const [, contract] = bases.find(([base]) => pathname === base || pathname.startsWith(`${base}/`))!
  if ((error as { code?: unknown }).code !== 'NOT_FOUND') return contract.errorResponse(error, request, log)
  const { static: fixed, http } = app.router
  // A route also matches its path with one slash at the end.
  const bare = pathname.replace(/(?<=[^/])\/$/, '')
  // The value in the static table is the route's index, and the first route has index 0.
  const allowed = METHODS.filter((method) => fixed[bare]?.[method] !== undefined || http.find(method, bare))
  // Elysia answers HEAD wherever it answers GET, and this function answers OPTIONS.
  if (allowed[0] === 'GET') allowed.splice(1, 0, 'HEAD')
  if (allowed.length > 0) allowed.push('OPTIONS')
  const allow = allowed.join(', ')
  // RFC 9110, 9.3.7. Without ALLOWED_ORIGINS, preflights also get this answer.
  if (allow && request.method === 'OPTIONS') {
    noteStatus(request, 204)
    try {
      return new Response(null, { status: 204, headers: { allow, ...(await optionsOf(bare)) } })
    } catch (thrown) {
      return contract.errorResponse(thrown, request, log)
    }
  }
  try {
    await checkLimit(contract)
  } catch (thrown) {
    return contract.errorResponse(thrown, request, log)
  }
  const missing = allow
    ? new AppError('METHOD_NOT_ALLOWED', { params: { allow } })
    : new AppError('NOT_FOUND', { params: { path: pathname } })
  return contract.errorResponse(missing, request, log)
}
