import type { LiveContext } from './context.ts'

/** The metrics of open sockets: docs/operations.md, "Metrics". */
export function registerSockets({ metrics, live: { hub, nodeSockets } }: LiveContext): void {
  metrics.registry.gauge('roost_sockets', 'Open sockets by kind of client', ['kind'], () => [
    [['user'], hub.size - hub.strangers.size],
    [['stranger'], hub.strangers.size],
    [['node'], nodeSockets.open.size],
  ])
}
