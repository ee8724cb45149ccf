import { AppError } from '../core/errors.ts'
import type { Logger } from '../util/logger.ts'
import { urlOf } from '../util/url-of.ts'
import type { Contract } from './contract.ts'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

/** The part of Elysia that knows which routes there are. */
interface Routed {
  router: {
    /** Paths without parameters. */
    static: Record<string, Record<string, unknown>>
    /** Paths with parameters. */
    http: { find(method: string, path: string): unknown }
  }
}

/**
 * Answers what belongs to no route, in the form of the longest matching base URL (DESIGN 2.9): 405 with `Allow` when
 * another method would do, else 404. Base URLs are given longest first, the empty one last.
 */
export function answerUnmatched(
  app: Routed,
  bases: [prefix: string, contract: Contract][],
  { error, request, log }: { error: unknown; request: Request; log: Logger },
): Response {
  const { pathname } = urlOf(request)
  const [, contract] = bases.find(([base]) => pathname === base || pathname.startsWith(`${base}/`))!
  const { static: fixed, http } = app.router
  // The routes answer with a slash at their end too.
  const bare = pathname.replace(/(?<=.)\/$/, '')
  const allowed = METHODS.filter((method) => fixed[bare]?.[method] ?? http.find(method, bare))
  // Elysia answers HEAD wherever it answers GET.
  if (allowed[0] === 'GET') allowed.splice(1, 0, 'HEAD')
  const shown =
    (error as { code?: unknown }).code !== 'NOT_FOUND'
      ? error
      : allowed.length > 0
        ? new AppError('METHOD_NOT_ALLOWED', { params: { allow: allowed.join(', ') } })
        : new AppError('NOT_FOUND', { params: { path: pathname } })
  return contract.errorResponse(shown, request, log)
}
