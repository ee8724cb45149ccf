import type { LiveContext } from './context.ts'

/** The counts of open sockets: docs/operations.md, "Metrics". */
export function registerSockets({ services, live: { hub, nodeSockets } }: LiveContext): void {
  services.gauges.countSockets(() => ({
    user: hub.size - hub.strangers.size,
    stranger: hub.strangers.size,
    node: nodeSockets.open.size,
  }))
}
