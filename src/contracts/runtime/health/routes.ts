import { Elysia } from 'elysia'
import type { Context } from '../../../core/context.ts'
import {
  allHealthy,
  COMPONENTS,
  type ComponentHealth,
  canServe,
  checkHealth,
} from '../../../core/system/health.ts'
import { runtime } from '../contract.ts'
import { Health, InfraHealth } from '../models.ts'

/** `/health` says whether this server can serve, `/infra/health` how each part does. The answer is 503 when not. */
export const healthRoutes = (ctx: Context) =>
  new Elysia()
    .get(
      '/health',
      async ({ set }) => {
        if (await canServe(ctx)) return { status: 'ok' }
        set.status = 503
        return { status: 'unhealthy' }
      },
      {
        detail: runtime.describe({
          summary: 'Say whether the API works',
          tag: 'infra',
          response: Health,
          answers: { 503: { description: 'Unhealthy', response: Health } },
        }),
      },
    )
    .get(
      '/infra/health',
      async ({ set }): Promise<InfraHealth> => {
        const components = await checkHealth(ctx, COMPONENTS)
        const { database, bus, storage, mail } = components
        const healthy = allHealthy(components)
        if (!healthy) set.status = 503
        return {
          status: healthy ? 'healthy' : 'unhealthy',
          services: {
            redis: { ...present(bus), kind: ctx.bus.kind },
            database: { ...present(database), kind: ctx.config.databaseUrl ? 'postgresql' : 'embedded' },
            storage: { ...present(storage), kind: ctx.storage.kind },
            mail: { ...present(mail), kind: ctx.mailer.kind },
          },
        }
      },
      {
        detail: runtime.describe({
          summary: 'Say whether every part in use answers, and how fast',
          tag: 'infra',
          response: InfraHealth,
          answers: { 503: { description: 'Unhealthy', response: InfraHealth } },
        }),
      },
    )

const present = ({ healthy, latencyMs }: ComponentHealth) => ({
  status: healthy ? ('healthy' as const) : ('unhealthy' as const),
  latency_ms: Math.round(latencyMs * 100) / 100,
})
