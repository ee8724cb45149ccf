import type { AnyElysia } from 'elysia'
import { isAdmin } from '../core/accounts/permissions.ts'
import type { Context } from '../core/context.ts'
import { AppError } from '../core/errors.ts'
import { systemConfig } from '../core/system/settings.ts'
import { optionalPrincipal } from './authenticate.ts'
import { descriptionOf } from './openapi/route.ts'
import { routeKey } from './route-key.ts'

/** Nobody knows when the maintenance ends. A client that asks again after this time is no burden. */
const RETRY_SECONDS = 60

const READS = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Whether maintenance mode closes a route to users who are no administrators: docs/operations.md, "Maintenance mode". */
export const closesInMaintenance = (
  method: string,
  description: { inMaintenance?: true } | undefined,
): boolean => !READS.has(method) && !description?.inMaintenance

/** Refuses writes while the system is under maintenance. A route that is to stay open declares it. */
export class Maintenance {
  /** By method and path of the route. */
  private readonly open = new Set<string>()

  constructor(private readonly ctx: Context) {}

  /** Reads which routes stay open. */
  learn({ routes }: AnyElysia): void {
    for (const { method, path, hooks } of routes)
      if (!closesInMaintenance(method, descriptionOf(hooks))) this.open.add(routeKey(method, path))
  }

  /**
   * A token that is not valid is an error of its own, so that an administrator's client refreshes it.
   * @throws AppError MAINTENANCE, INVALID_TOKEN, TOKEN_EXPIRED, INACTIVE_USER
   */
  async check(route: string, request: Request): Promise<void> {
    const { ctx } = this
    if (this.open.has(routeKey(request.method, route))) return
    if (!(await systemConfig(ctx)).maintenanceMode) return
    const user = await optionalPrincipal(ctx, request)
    if (!user || !isAdmin(user.role))
      throw new AppError('MAINTENANCE', { params: { seconds: RETRY_SECONDS } })
  }
}
