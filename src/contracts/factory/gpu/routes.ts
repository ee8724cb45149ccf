import { Elysia, t } from 'elysia'
import { may } from '../../../core/accounts/permissions.ts'
import type { Context } from '../../../core/context.ts'
import { AppError } from '../../../core/errors.ts'
import {
  authenticateNode,
  createNode,
  deleteNode,
  getNode,
  listNodes,
  type Node,
  rotateToken,
  updateNode,
} from '../../../core/nodes/nodes.ts'
import { clusterOverview, type NodeView, runningByNode, viewNode } from '../../../core/nodes/presence.ts'
import { authenticate, bearer, guard } from '../../../http/authenticate.ts'
import { Nothing } from '../../../http/models.ts'
import { typed } from '../../../http/typed.ts'
import { readHeartbeat } from '../../../live/node/frames.ts'
import { GpuFigures, heartbeatFields } from '../../../protocol/node/node-frames.ts'
import { Envelope, envelope, factory } from '../contract.ts'
import { ClusterOverview, GpuServer, GpuServerStatus, NewGpuServer, ServerId as params } from '../models.ts'
import { presentServer, presentServerStatus } from '../presenters.ts'

const name = t.String({ minLength: 1, maxLength: 100, ...typed('name') })
const host = t.String({ minLength: 1, maxLength: 255 })
const limit = t.Integer({ minimum: 1, maximum: 1000 })

/** A sensor that is sick must not end the whole heartbeat: what it measures is looked at later. */
const HeartbeatBody = t.Object({
  ...heartbeatFields,
  gpus: t.Array(
    t.Object({
      ...GpuFigures.properties,
      temperature: t.Optional(t.Unknown()),
      power: t.Optional(t.Unknown()),
    }),
    { maxItems: heartbeatFields.gpus.maxItems! },
  ),
})

async function views(ctx: Context, nodes: Node[]): Promise<NodeView[]> {
  const running = await runningByNode(
    ctx,
    nodes.map((node) => node.id),
  )
  return nodes.map((node) => viewNode(ctx, node, running.get(node.id) ?? []))
}

const view = async (ctx: Context, node: Node): Promise<NodeView> => (await views(ctx, [node]))[0]!

/** A node reports for itself, an administrator for any. */
async function reportingNode(ctx: Context, request: Request, id: string): Promise<Node> {
  const token = bearer(request)
  const self = token ? await authenticateNode(ctx, token) : undefined
  if (self) {
    if (self.uuid !== id.toLowerCase()) throw new AppError('PERMISSION_DENIED')
    return self
  }
  const { principal } = await authenticate(ctx, request)
  if (!may(principal.role, 'node.update')) throw new AppError('PERMISSION_DENIED')
  return getNode(ctx, id)
}

const reporting = new WeakMap<Request, Node>()

const readErrors = ['AUTHENTICATION_REQUIRED', 'NOT_FOUND'] as const
const adminErrors = ['AUTHENTICATION_REQUIRED', 'PERMISSION_DENIED', 'NOT_FOUND'] as const

export const gpuRoutes = (ctx: Context) =>
  new Elysia({ prefix: '/gpu' })
    .use(guard(ctx))
    .get(
      '/servers',
      async ({ principal, request }) =>
        envelope(
          request,
          (await views(ctx, await listNodes(ctx))).map((view) => presentServer(view, principal.role)),
        ),
      {
        auth: true,
        detail: factory.describe({
          summary: 'List GPU servers',
          tag: 'gpu',
          response: Envelope(t.Array(GpuServer)),
          errors: ['AUTHENTICATION_REQUIRED'],
        }),
      },
    )
    .post(
      '/servers',
      async ({ principal, body, request, set }) => {
        const { node, token } = await createNode(ctx, {
          name: body.name,
          host: body.host,
          maxConcurrentTasks: body.max_concurrent_tasks,
        })
        set.status = 201
        const server = presentServer(await view(ctx, node), principal.role)
        return envelope(request, { ...server, node_token: token }, 'server_created')
      },
      {
        auth: 'node.create',
        body: t.Object({
          name,
          host,
          max_concurrent_tasks: t.Integer({ minimum: 1, maximum: 1000, default: 1 }),
        }),
        detail: factory.describe({
          summary: 'Create a GPU server; the answer has its only copy of node_token (administrators)',
          tag: 'gpu',
          example: { name: 'GPU-Server-01', host: '192.168.1.100', max_concurrent_tasks: 4 },
          status: 201,
          response: Envelope(NewGpuServer),
          errors: ['AUTHENTICATION_REQUIRED', 'PERMISSION_DENIED', 'VALIDATION_FAILED', 'NAME_TAKEN'],
        }),
      },
    )
    .get(
      '/servers/:server_id',
      async ({ principal, params, request }) => {
        const node = await view(ctx, await getNode(ctx, params.server_id))
        return envelope(request, presentServer(node, principal.role))
      },
      {
        auth: true,
        params,
        detail: factory.describe({
          summary: 'Show one GPU server',
          tag: 'gpu',
          response: Envelope(GpuServer),
          errors: [...readErrors],
        }),
      },
    )
    .get(
      '/servers/:server_id/status',
      async ({ params, request }) =>
        envelope(request, presentServerStatus(await view(ctx, await getNode(ctx, params.server_id)))),
      {
        auth: true,
        params,
        detail: factory.describe({
          summary: 'Show the present load of one GPU server',
          tag: 'gpu',
          response: Envelope(GpuServerStatus),
          errors: [...readErrors],
        }),
      },
    )
    .put(
      '/servers/:server_id',
      async ({ principal, params, body, request }) => {
        const { max_concurrent_tasks: maxConcurrentTasks, ...rest } = body
        const change = maxConcurrentTasks === undefined ? rest : { ...rest, maxConcurrentTasks }
        const node = await updateNode(ctx, params.server_id, change)
        return envelope(request, presentServer(await view(ctx, node), principal.role))
      },
      {
        auth: 'node.update',
        params,
        body: t.Object({
          name: t.Optional(name),
          host: t.Optional(host),
          max_concurrent_tasks: t.Optional(limit),
          draining: t.Optional(t.Boolean()),
        }),
        detail: factory.describe({
          summary: 'Change a GPU server; draining: false takes it back into service (administrators)',
          tag: 'gpu',
          example: { name: 'GPU-Server-01', max_concurrent_tasks: 8, draining: false },
          response: Envelope(GpuServer),
          errors: [...adminErrors, 'VALIDATION_FAILED', 'NAME_TAKEN'],
        }),
      },
    )
    .delete(
      '/servers/:server_id',
      async ({ params, request }) => {
        await deleteNode(ctx, params.server_id)
        return envelope(request, {})
      },
      {
        auth: 'node.delete',
        params,
        detail: factory.describe({
          summary: 'Remove a GPU server; its tasks go back to the queue (administrators)',
          tag: 'gpu',
          response: Envelope(Nothing),
          errors: [...adminErrors],
        }),
      },
    )
    .post(
      '/servers/:server_id/drain',
      async ({ principal, params, request }) => {
        const node = await updateNode(ctx, params.server_id, { draining: true })
        return envelope(request, presentServer(await view(ctx, node), principal.role))
      },
      {
        auth: 'node.update',
        params,
        detail: factory.describe({
          summary: 'Let a GPU server finish its tasks and take no new ones (administrators)',
          tag: 'gpu',
          response: Envelope(GpuServer),
          errors: [...adminErrors],
        }),
      },
    )
    .post(
      '/servers/:server_id/rotate-token',
      async ({ principal, params, request }) => {
        const { node, token } = await rotateToken(ctx, params.server_id)
        const server = presentServer(await view(ctx, node), principal.role)
        return envelope(request, { ...server, node_token: token }, 'token_rotated')
      },
      {
        auth: 'node.update',
        params,
        detail: factory.describe({
          summary: 'Replace the node_token; the old one ends at once (administrators)',
          tag: 'gpu',
          id: 'rotateGpuServerToken',
          response: Envelope(NewGpuServer),
          errors: [...adminErrors],
        }),
      },
    )
    .post(
      '/servers/:server_id/heartbeat',
      async ({ body, request }) => {
        await ctx.services.nodeControl.restHeartbeat(reporting.get(request)!, readHeartbeat(body))
        return envelope(request, {})
      },
      {
        params,
        // As in the guard: before the body is looked at.
        transform: async ({ request, params }) => {
          reporting.set(request, await reportingNode(ctx, request, params.server_id))
        },
        body: HeartbeatBody,
        detail: factory.describe({
          summary: 'Report the load of a GPU server (its node_token, or an administrator)',
          tag: 'gpu',
          id: 'reportGpuServer',
          access: ['user', 'node'],
          example: {
            cpu_usage: 45.2,
            memory_usage: 68.3,
            gpus: [{ gpu_id: 0, usage: 85.5, memory_used: 10.2, memory_total: 12 }],
          },
          response: Envelope(Nothing),
          errors: [...adminErrors, 'VALIDATION_FAILED'],
        }),
      },
    )
    .get('/cluster/overview', async ({ request }) => envelope(request, await clusterOverview(ctx)), {
      auth: true,
      detail: factory.describe({
        summary: 'Show all GPU servers at a glance',
        tag: 'gpu',
        response: Envelope(ClusterOverview),
        errors: ['AUTHENTICATION_REQUIRED'],
      }),
    })
