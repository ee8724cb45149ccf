import { version } from '../../../../package.json'
import type { Context } from '../../../core/context.ts'
import { AppError } from '../../../core/errors.ts'
import { canServe, checkHealth } from '../../../core/system/health.ts'
import { type Call, chapter } from '../../../http/chapter.ts'
import { learning } from '../contract.ts'
import { DatabaseHealth, Health } from './models.ts'

const { routes, route } = chapter(learning, 'health')

/** `GET /health` is outside the base URL. */
export const healthRoutes = (ctx: Context) =>
  routes(ctx).get(
    '/health',
    showHealth,
    route({
      summary: 'Say whether this server can serve',
      response: Health,
      answers: { 503: { description: 'Unhealthy', response: Health } },
    }),
  )

export const databaseHealthRoutes = (ctx: Context) =>
  routes(ctx).get(
    '/health/db',
    showDatabaseHealth,
    route({ summary: 'Say whether the database answers', response: DatabaseHealth }),
  )

/** An unhealthy server answers 503, so that a load balancer sends requests to another server. */
async function showHealth({ ctx, set }: Call): Promise<Health> {
  const healthy = await canServe(ctx)
  if (!healthy) set.status = 503
  return {
    status: healthy ? 'healthy' : 'unhealthy',
    version,
    environment: ctx.config.production ? 'production' : 'development',
  }
}

async function showDatabaseHealth({ ctx }: Call): Promise<DatabaseHealth> {
  const { database } = await checkHealth(ctx, ['database'])
  if (!database.healthy) throw new AppError('DATABASE_UNAVAILABLE')
  return { status: 'healthy', database: 'connected' }
}
