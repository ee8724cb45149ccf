import { Elysia, t } from 'elysia'
import { version } from '../../../../package.json'
import type { Context } from '../../../core/context.ts'
import { AppError } from '../../../core/errors.ts'
import { canServe, checkHealth } from '../../../core/system/health.ts'
import { choice } from '../../../http/choice.ts'
import { learning } from '../contract.ts'

const Health = t.Object({
  status: choice(['healthy', 'unhealthy']),
  version: t.String(),
  environment: choice(['production', 'development']),
})

/** `GET /health`, outside the base URL. Unhealthy: the same body with 503, so that a load balancer looks elsewhere. */
export const healthRoutes = (ctx: Context) =>
  new Elysia().get(
    '/health',
    async ({ set }) => {
      const healthy = await canServe(ctx)
      if (!healthy) set.status = 503
      return {
        status: healthy ? 'healthy' : 'unhealthy',
        version,
        environment: ctx.config.production ? 'production' : 'development',
      }
    },
    {
      detail: learning.describe({
        summary: 'Say whether this server can serve',
        tag: 'health',
        response: Health,
        answers: { 503: { description: 'Unhealthy', response: Health } },
      }),
    },
  )

export const databaseHealthRoutes = (ctx: Context) =>
  new Elysia().get(
    '/health/db',
    async () => {
      const { database } = await checkHealth(ctx, ['database'])
      if (!database.healthy) throw new AppError('DATABASE_UNAVAILABLE')
      return { status: 'healthy', database: 'connected' }
    },
    {
      detail: learning.describe({
        summary: 'Say whether the database answers',
        tag: 'health',
        response: t.Object({ status: t.Literal('healthy'), database: t.Literal('connected') }),
      }),
    },
  )
