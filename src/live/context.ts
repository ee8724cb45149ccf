import type { Context } from '../core/context.ts'
import type { NodeSockets } from './node/socket.ts'
import type { Hub } from './user/hub.ts'

/** The context of the routes that read or open live channels. Core does not use it. */
export interface LiveContext extends Context {
  readonly live: { readonly hub: Hub; readonly nodeSockets: NodeSockets }
}
