import { t } from 'elysia'
import type { Context } from '../../../core/context.ts'
import {
  createNode,
  deleteNode,
  getNode,
  listNodes,
  rotateToken,
  updateNode,
} from '../../../core/nodes/nodes.ts'
import { clusterOverview, type NodeView, nodeTopic, viewNodes } from '../../../core/nodes/presence.ts'
import type { Node } from '../../../core/nodes/rows.ts'
import { listTaskTypes } from '../../../core/nodes/task-types.ts'
import {
  type Body,
  type Call,
  chapter,
  type NodeCall,
  type Params,
  type SignedCall,
} from '../../../http/chapter.ts'
import { idempotent } from '../../../http/idempotency.ts'
import { Nothing } from '../../../http/models.ts'
import { readHeartbeat } from '../../../live/node/frames.ts'
import { presentCluster } from '../../../live/topics/cluster.ts'
import { Envelope, envelope, factory } from '../contract.ts'
import {
  ClusterOverview,
  GpuServer,
  GpuServerHistory,
  GpuServerStatus,
  GpuTaskType,
  HEARTBEAT,
  Heartbeat,
  NewGpuServer,
  SERVER_CHANGE,
  SERVER_CREATION,
  ServerChange,
  ServerCreation,
  ServerId,
} from './models.ts'
import { presentSample, presentServer, presentServerStatus, presentTaskType } from './presenters.ts'

const { routes, route } = chapter(factory, 'gpu')

export const gpuRoutes = (ctx: Context) =>
  routes(ctx, '/gpu')
    .get(
      '/servers',
      listServers,
      route({ auth: true, summary: 'List GPU servers', response: Envelope(t.Array(GpuServer)) }),
    )
    .post(
      '/servers',
      idempotent(createServer),
      route({
        auth: 'node.create',
        summary: 'Create a GPU server; the answer has its only copy of node_token (administrators)',
        body: ServerCreation,
        example: SERVER_CREATION,
        status: 201,
        response: Envelope(NewGpuServer),
        errors: ['NAME_TAKEN'],
      }),
    )
    .get(
      '/servers/:server_id',
      showServer,
      route({
        auth: true,
        summary: 'Show one GPU server',
        params: ServerId,
        response: Envelope(GpuServer),
      }),
    )
    .get(
      '/servers/:server_id/status',
      showServerStatus,
      route({
        auth: true,
        summary: 'Show the present load of one GPU server',
        params: ServerId,
        response: Envelope(GpuServerStatus),
      }),
    )
    .get(
      '/servers/:server_id/history',
      showServerHistory,
      route({
        auth: true,
        summary: 'Show the GPUs of one GPU server over the last ten minutes',
        params: ServerId,
        response: Envelope(GpuServerHistory),
      }),
    )
    .put(
      '/servers/:server_id',
      changeServer,
      route({
        auth: 'node.update',
        summary: 'Change a GPU server; draining: false takes it back into service (administrators)',
        params: ServerId,
        body: ServerChange,
        example: SERVER_CHANGE,
        response: Envelope(GpuServer),
        errors: ['NAME_TAKEN'],
      }),
    )
    .delete(
      '/servers/:server_id',
      removeServer,
      route({
        auth: 'node.delete',
        summary: 'Remove a GPU server; its tasks go back to the queue (administrators)',
        params: ServerId,
        response: Envelope(Nothing),
      }),
    )
    .post(
      '/servers/:server_id/drain',
      drainServer,
      route({
        auth: 'node.update',
        summary: 'Let a GPU server finish its tasks and take no new ones (administrators)',
        params: ServerId,
        response: Envelope(GpuServer),
      }),
    )
    .post(
      '/servers/:server_id/rotate-token',
      replaceToken,
      route({
        auth: 'node.update',
        summary: 'Replace the node_token; the old one ends at once (administrators)',
        id: 'rotateGpuServerToken',
        params: ServerId,
        response: Envelope(NewGpuServer),
      }),
    )
    .post(
      '/servers/:server_id/heartbeat',
      reportLoad,
      route({
        nodeAuth: { param: 'server_id', permission: 'node.update' },
        summary: 'Report the load of a GPU server (its node_token, or an administrator)',
        inMaintenance: true,
        id: 'reportGpuServer',
        params: ServerId,
        body: Heartbeat,
        example: HEARTBEAT,
        response: Envelope(Nothing),
      }),
    )
    .get(
      '/task-types',
      listTypes,
      route({
        auth: true,
        summary: 'List the task types that GPU servers offer, with their prices',
        response: Envelope(t.Array(GpuTaskType)),
      }),
    )
    .get(
      '/cluster/overview',
      showCluster,
      route({
        auth: true,
        summary: 'Show all GPU servers at a glance',
        response: Envelope(ClusterOverview),
      }),
    )

async function listServers({ ctx, principal, request }: SignedCall) {
  const views = await viewNodes(ctx, await listNodes(ctx))
  return envelope(
    request,
    views.map((view) => presentServer(view, principal.role)),
  )
}

async function createServer({ ctx, principal, body, request }: SignedCall & Body<typeof ServerCreation>) {
  const { node, token } = await createNode(ctx, principal, {
    name: body.name,
    host: body.host,
    maxConcurrentTasks: body.max_concurrent_tasks,
  })
  const server = presentServer(await viewOf(ctx, node), principal.role)
  return envelope(request, { ...server, node_token: token }, 'server_created')
}

async function showServer({ ctx, principal, params, request }: SignedCall & Params<typeof ServerId>) {
  const node = await getNode(ctx, params.server_id)
  return envelope(request, presentServer(await viewOf(ctx, node), principal.role))
}

async function showServerStatus({ ctx, params, request }: Call & Params<typeof ServerId>) {
  const node = await getNode(ctx, params.server_id)
  return envelope(request, presentServerStatus(await viewOf(ctx, node)))
}

async function showServerHistory({ ctx, params, request }: Call & Params<typeof ServerId>) {
  const { uuid } = await getNode(ctx, params.server_id)
  const samples = ctx.services.nodeHistory.of(nodeTopic(uuid))
  return envelope(request, { server_id: uuid, samples: samples.map(presentSample) })
}

async function changeServer({
  ctx,
  principal,
  params,
  body,
  request,
}: SignedCall & Params<typeof ServerId> & Body<typeof ServerChange>) {
  const node = await updateNode(ctx, principal, params.server_id, {
    name: body.name,
    host: body.host,
    maxConcurrentTasks: body.max_concurrent_tasks,
    draining: body.draining,
  })
  return envelope(request, presentServer(await viewOf(ctx, node), principal.role))
}

async function removeServer({ ctx, principal, params, request }: SignedCall & Params<typeof ServerId>) {
  await deleteNode(ctx, principal, params.server_id)
  return envelope(request, {})
}

async function drainServer({ ctx, principal, params, request }: SignedCall & Params<typeof ServerId>) {
  const node = await updateNode(ctx, principal, params.server_id, { draining: true })
  return envelope(request, presentServer(await viewOf(ctx, node), principal.role))
}

async function replaceToken({ ctx, principal, params, request }: SignedCall & Params<typeof ServerId>) {
  const { node, token } = await rotateToken(ctx, principal, params.server_id)
  const server = presentServer(await viewOf(ctx, node), principal.role)
  return envelope(request, { ...server, node_token: token }, 'token_rotated')
}

async function reportLoad({ ctx, node, body, request }: NodeCall & Body<typeof Heartbeat>) {
  await ctx.services.nodeControl.restHeartbeat(node, readHeartbeat(body))
  return envelope(request, {})
}

async function listTypes({ ctx, request }: SignedCall) {
  return envelope(request, (await listTaskTypes(ctx)).map(presentTaskType))
}

async function showCluster({ ctx, request }: Call) {
  return envelope(request, presentCluster(await clusterOverview(ctx)))
}

const viewOf = async (ctx: Context, node: Node): Promise<NodeView> => (await viewNodes(ctx, [node]))[0]!
