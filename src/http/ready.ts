import { Elysia } from 'elysia'
import { canServe } from '../core/system/health.ts'
import type { LiveContext } from '../live/context.ts'

/**
 * `GET /ready`: whether a load balancer should send requests here. 503 while the database is not available, and from the
 * moment at which the server begins to stop.
 */
export const readyRoute = (ctx: LiveContext) =>
  new Elysia({ name: 'ready' }).get(
    '/ready',
    async ({ set }) => {
      const reason = ctx.live.hub.draining ? 'stopping' : (await canServe(ctx)) ? undefined : 'database'
      if (!reason) return { status: 'ready' }
      set.status = 503
      set.headers['retry-after'] = '1'
      return { status: 'not_ready', reason }
    },
    {
      detail: {
        summary: 'Say whether a load balancer should send requests here',
        tags: ['operations'],
        responses: {
          200: answer('Success', { status: { type: 'string', enum: ['ready'] } }),
          503: answer('The database is away, or the server is stopping', {
            status: { type: 'string', enum: ['not_ready'] },
            reason: { type: 'string', enum: ['stopping', 'database'] },
          }),
        },
      },
    },
  )

const answer = (description: string, properties: Record<string, { type: 'string'; enum: string[] }>) => ({
  description,
  content: {
    'application/json': {
      schema: { type: 'object' as const, properties, required: Object.keys(properties) },
    },
  },
})
