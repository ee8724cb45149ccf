import type { AnyElysia } from 'elysia'
import type { Context } from '../core/context.ts'
import { rateLimited, resetSecond } from '../core/rate-limits/rate-limits.ts'
import { countRequest, type LimitClass } from '../core/rate-limits/request-limits.ts'
import { optionalPrincipal } from './authenticate.ts'
import { clientOf } from './client.ts'
import { limitFields } from './limit-fields.ts'
import { descriptionOf } from './openapi/route.ts'
import { routeKey } from './route-key.ts'

interface Counting {
  request: Request
  set: { headers: Record<string, string | number | undefined> }
}

/**
 * Counts the requests of the routes that have a limit, each request once: before its body is read, or where it has none,
 * before its caller is checked.
 */
export class RequestLimits {
  /** By method and path of the route. */
  private readonly classes = new Map<string, LimitClass>()
  private readonly counted = new WeakSet<Request>()

  constructor(private readonly ctx: Context) {}

  /** Reads the limits that the routes declare. */
  learn({ routes }: AnyElysia): void {
    for (const { method, path, hooks } of routes) {
      const limit = descriptionOf(hooks)?.limit
      if (limit) this.classes.set(routeKey(method, path), limit)
    }
  }

  /** @throws AppError RATE_LIMITED */
  async checkRoute(route: string, call: Counting): Promise<void> {
    const limit = this.classes.get(routeKey(call.request.method, route))
    if (limit) await this.check(limit, call)
  }

  /** @throws AppError RATE_LIMITED */
  async check(limit: LimitClass, { request, set }: Counting): Promise<void> {
    const { ctx } = this
    if (!ctx.config.rateLimits || this.counted.has(request)) return
    this.counted.add(request)
    // A token that is not valid says nothing about the caller, so the request counts for its network.
    const user = await optionalPrincipal(ctx, request).catch(() => undefined)
    const { ip } = user?.client ?? clientOf(ctx, request)
    const standing = await countRequest(ctx, limit, { userId: user?.userId, ip })
    const { policy, max, windowMs, remaining, resetMs } = standing
    Object.assign(
      set.headers,
      limitFields({
        policy,
        limit: max,
        remaining,
        window: windowMs / 1000,
        seconds: Math.ceil(resetMs / 1000),
        reset: resetSecond(resetMs),
      }),
    )
    if (standing.exceeded) throw rateLimited(standing)
  }
}
