import { Elysia } from 'elysia'
import type { Context } from '../../core/context.ts'
import { adminUserRoutes } from './admin-users/routes.ts'
import { authRoutes } from './auth/routes.ts'
import { taskRoutes } from './tasks/routes.ts'

/** The routes that both contracts define: docs/design.md, "Routes of study and factory". */
export const studyFactoryRoutes = (ctx: Context) =>
  new Elysia().use(authRoutes(ctx)).use(taskRoutes(ctx)).use(adminUserRoutes(ctx))
