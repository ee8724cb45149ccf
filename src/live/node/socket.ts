import type { ServerWebSocket } from 'bun'
import { Elysia } from 'elysia'
import type { Bus } from '../../bus/bus.ts'
import { admitNode } from '../../core/nodes/nodes.ts'
import { nodeHint } from '../../core/tasks/hints.ts'
import { CLOSE } from '../../protocol/close-codes.ts'
import type { Origins } from '../../util/origins.ts'
import { urlOf } from '../../util/url-of.ts'
import type { LiveContext } from '../context.ts'
import { KEEP_ALIVE, KeepAlive, type KeepAliveTiming } from '../keep-alive.ts'
import { refuse, refuseUpgrade } from '../upgrade.ts'
import { NodeConnection } from './connection.ts'

/** All sockets of nodes on this server. */
export class NodeSockets {
  readonly open = new Set<NodeConnection>()
  private readonly keepAlive: KeepAlive<NodeConnection>

  constructor(bus: Bus, timing: KeepAliveTiming = KEEP_ALIVE) {
    this.keepAlive = new KeepAlive(this.open, timing, (connection) =>
      connection.end(CLOSE.tooSlow, 'no answer'),
    )
    bus.subscribe(nodeHint, ({ nodeId, command }) => {
      if (command.type !== 'revoked') return
      for (const connection of [...this.open]) if (connection.node?.id === nodeId) connection.end('revoked')
    })
  }

  /** Tells every node when to come back, then closes its socket. */
  async drain(): Promise<void> {
    for (const connection of this.open) {
      connection.send({ type: 'draining', reconnect_after_ms: Math.floor(Math.random() * 1000) })
    }
    for (const connection of [...this.open]) connection.end(CLOSE.restarting, 'restarting')
    this.keepAlive.close()
  }
}

/** `GET /ws/node`: the socket of a GPU node, which signs in with its node token. */
export function nodeSocket(ctx: LiveContext, origins: Origins) {
  const { hub, nodeSockets } = ctx.live
  return new Elysia({ name: 'node-socket' }).get(
    '/ws/node',
    async ({ request, server }) => {
      const refusal = refuseUpgrade(request, origins, hub.draining)
      if (refusal) return refusal
      // The URL first, because a proxy may set the header for itself.
      const token =
        urlOf(request).searchParams.get('token') ??
        request.headers.get('authorization')?.replace(/^Bearer /i, '')
      const admitted = token ? await admitNode(ctx, token) : undefined
      const data = new NodeConnection(ctx, nodeSockets, admitted?.node, admitted?.socket ?? 0)
      if ((server as Bun.Server<NodeConnection> | null)!.upgrade(request, { data })) return
      return refuse(400, 'Upgrade failed')
    },
    { detail: { hide: true } },
  )
}

export type NodeWebSocket = ServerWebSocket<NodeConnection>
