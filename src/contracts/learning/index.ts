import { Elysia } from 'elysia'
import type { Core, Scheduler } from '../../core/context.ts'
import { MaterialRanking } from '../../core/materials/ranking.ts'
import { adminRoutes } from './admin.ts'
import { authRoutes } from './auth.ts'
import { fileRoutes } from './files.ts'
import { databaseHealthRoutes, healthRoutes } from './health.ts'
import { materialRoutes } from './materials.ts'
import { uploadRoutes } from './uploads.ts'

/** learning.md, under `/api/v1`. */
export const learningRoutes = (ctx: Core, scheduler: Scheduler) =>
  new Elysia()
    .use(authRoutes(ctx))
    .use(materialRoutes(ctx, new MaterialRanking(ctx)))
    .use(uploadRoutes(ctx))
    .use(adminRoutes(ctx, scheduler))
    .use(databaseHealthRoutes(ctx))

/** What of the contract lies outside its base URL. */
export const learningRootRoutes = (ctx: Core) => new Elysia().use(healthRoutes(ctx)).use(fileRoutes(ctx))
