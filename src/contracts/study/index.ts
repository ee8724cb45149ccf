import { Elysia } from 'elysia'
import type { LiveContext } from '../../live/context.ts'
import { administrationRoutes } from './administration/routes.ts'
import { authRoutes } from './auth/routes.ts'
import { courseRoutes } from './courses/routes.ts'
import { taskLogRoutes } from './task-logs/routes.ts'
import { taskRoutes } from './tasks/routes.ts'
import { userRoutes } from './user/routes.ts'

/** The study contract's own routes, without those that it shares with factory: docs/contracts/study.md. */
export const studyRoutes = (ctx: LiveContext) =>
  new Elysia()
    .use(authRoutes(ctx))
    .use(userRoutes(ctx))
    .use(courseRoutes(ctx))
    .use(administrationRoutes(ctx))
    .use(taskRoutes(ctx))
    .use(taskLogRoutes(ctx))
