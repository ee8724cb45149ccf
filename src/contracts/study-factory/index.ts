import { Elysia } from 'elysia'
import type { Core } from '../../core/context.ts'
import { adminUserRoutes } from './admin-users.ts'
import { authRoutes } from './auth.ts'
import { taskRoutes } from './tasks.ts'

/** The routes that both study.md and factory.md claim. */
export const studyFactoryRoutes = (ctx: Core) =>
  new Elysia().use(authRoutes(ctx)).use(taskRoutes(ctx)).use(adminUserRoutes(ctx))
