import { Elysia } from 'elysia'
import type { Core } from '../../core/context.ts'
import type { NodeControl } from '../../core/nodes/control.ts'
import type { Hub } from '../../live/hub.ts'
import { eventRoutes } from './events.ts'
import { gpuRoutes } from './gpu.ts'
import { liveRoutes } from './live.ts'
import { userRoutes } from './users.ts'

/** factory.md, but for what it shares with study. */
export const factoryRoutes = (ctx: Core, control: NodeControl, hub: Hub) =>
  new Elysia()
    .use(userRoutes(ctx))
    .use(gpuRoutes(ctx, control))
    .use(liveRoutes(ctx))
    .use(eventRoutes(ctx, hub))
