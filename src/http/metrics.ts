import { Elysia } from 'elysia'
import { assertMay } from '../core/accounts/permissions.ts'
import type { Context } from '../core/context.ts'
import type { Format } from '../util/metrics.ts'
import { isSameSecret } from '../util/secrets.ts'
import { authenticate, bearer } from './authenticate.ts'
import { PROBLEM_JSON } from './problem.ts'

const TYPES: Record<Format, string> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

/** `GET /metrics`, for administrators and whoever has METRICS_TOKEN: docs/operations.md, "Metrics". */
export const metricsRoute = (ctx: Context) =>
  new Elysia({ name: 'metrics' }).get(
    '/metrics',
    async ({ request }) => {
      await admit(ctx, request)
      await ctx.services.gauges.refresh()
      const asked = request.headers.get('accept') ?? ''
      const format = asked.includes('application/openmetrics-text') ? 'openmetrics' : 'prometheus'
      const text = ctx.metrics.registry.render(format, (metric, error) =>
        ctx.log.warn({ err: error, metric }, 'a metric could not be read'),
      )
      return new Response(text, { headers: { 'content-type': TYPES[format], 'cache-control': 'no-store' } })
    },
    {
      detail: {
        summary: 'Show the metrics of this server, for Prometheus',
        tags: ['operations'],
        security: [{ bearerAuth: [] }],
        responses: {
          200: {
            description: 'Success',
            content: {
              'text/plain': { schema: { type: 'string' } },
              'application/openmetrics-text': { schema: { type: 'string' } },
            },
          },
          401: problemOf('No access token, and not METRICS_TOKEN'),
          403: problemOf('The user is no administrator'),
          500: problemOf('An error of the server'),
          503: problemOf('The database is away'),
        },
      },
    },
  )

const problemOf = (description: string) => ({
  description,
  content: { [PROBLEM_JSON]: { schema: { type: 'object' as const } } },
})

/** @throws AppError of a caller who is neither a scraper nor an administrator */
async function admit(ctx: Context, request: Request): Promise<void> {
  const { metricsToken } = ctx.config
  const token = bearer(request)
  if (metricsToken && token && isSameSecret(metricsToken, token)) return
  assertMay((await authenticate(ctx, request)).principal.role, 'system.metrics')
}
