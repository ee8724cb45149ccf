import { Elysia } from 'elysia'
import type { Context } from '../../core/context.ts'
import { auditRoutes } from './audit/routes.ts'
import { authRoutes } from './auth/routes.ts'
import { cacheRoutes } from './cache/routes.ts'
import { categoryRoutes } from './categories/routes.ts'
import { photoRoutes } from './photos/routes.ts'
import { searchRoutes } from './search/routes.ts'
import { settingsRoutes } from './settings/routes.ts'
import { statisticsRoutes } from './statistics/routes.ts'
import { tagRoutes } from './tags/routes.ts'
import { timelineRoutes } from './timeline/routes.ts'
import { chunkedRoutes } from './upload/chunked.ts'
import { resumableRoutes } from './upload/resumable.ts'
import { uploadRoutes } from './upload/routes.ts'
import { userRoutes } from './users/routes.ts'
import { webhookRoutes } from './webhooks/routes.ts'

/** The portfolio contract's routes under `/v1`: docs/contracts/portfolio.md. */
export const portfolioRoutes = (ctx: Context) =>
  new Elysia()
    .use(authRoutes(ctx))
    .use(photoRoutes(ctx))
    .use(searchRoutes(ctx))
    .use(categoryRoutes(ctx))
    .use(tagRoutes(ctx))
    .use(uploadRoutes(ctx))
    .use(chunkedRoutes(ctx))
    .use(resumableRoutes(ctx))
    .use(timelineRoutes(ctx))
    .use(userRoutes(ctx))
    .use(auditRoutes(ctx))
    .use(webhookRoutes(ctx))
    .use(statisticsRoutes(ctx))
    .use(cacheRoutes(ctx))
    .use(settingsRoutes(ctx))
