import { Elysia } from 'elysia'
import type { LiveContext } from '../../live/context.ts'
import { administrationRoutes } from './administration/routes.ts'
import { gpuRoutes } from './gpu/routes.ts'
import { liveRoutes } from './live/routes.ts'
import { logRoutes } from './logs/routes.ts'
import { rechargeRoutes } from './recharge/routes.ts'
import { statementRoutes } from './recharge/statement.ts'
import { userRoutes } from './users/routes.ts'

/** The factory contract's own routes, without those that it shares with study: docs/contracts/factory.md. */
export const factoryRoutes = (ctx: LiveContext) =>
  new Elysia()
    .use(userRoutes(ctx))
    .use(gpuRoutes(ctx))
    .use(rechargeRoutes(ctx))
    .use(administrationRoutes(ctx))
    .use(statementRoutes(ctx))
    .use(logRoutes(ctx))
    .use(liveRoutes(ctx))
