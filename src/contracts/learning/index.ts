import { Elysia } from 'elysia'
import type { Context } from '../../core/context.ts'
import { adminRoutes } from './admin/routes.ts'
import { authRoutes } from './auth/routes.ts'
import { fileRoutes } from './files/routes.ts'
import { databaseHealthRoutes, healthRoutes } from './health/routes.ts'
import { materialRoutes } from './materials/routes.ts'
import { uploadRoutes } from './uploads/routes.ts'

/** The learning contract's routes under `/api/v1`: docs/contracts/learning.md. */
export const learningRoutes = (ctx: Context) =>
  new Elysia()
    .use(authRoutes(ctx))
    .use(materialRoutes(ctx))
    .use(uploadRoutes(ctx))
    .use(adminRoutes(ctx))
    .use(databaseHealthRoutes(ctx))

/** The routes of the contract outside its base URL. */
export const learningRootRoutes = (ctx: Context) => new Elysia().use(healthRoutes(ctx)).use(fileRoutes(ctx))
