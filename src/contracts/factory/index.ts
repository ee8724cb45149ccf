import { Elysia } from 'elysia'
import type { Context } from '../../core/context.ts'
import type { NodeControl } from '../../core/nodes/control.ts'
import type { Hub } from '../../live/user/hub.ts'
import { gpuRoutes } from './gpu/routes.ts'
import { eventRoutes } from './live/events.ts'
import { liveRoutes } from './live/tickets.ts'
import { userRoutes } from './users/routes.ts'

/** The factory contract's own routes, without those that it shares with study: docs/contracts/factory.md. */
export const factoryRoutes = (ctx: Context, control: NodeControl, hub: Hub) =>
  new Elysia()
    .use(userRoutes(ctx))
    .use(gpuRoutes(ctx, control))
    .use(liveRoutes(ctx))
    .use(eventRoutes(ctx, hub))
