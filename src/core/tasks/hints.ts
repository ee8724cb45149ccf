import { defineHint } from '../../bus/bus.ts'

/** A GPU task waits in the queue. */
export const queueHint = defineHint<null>('queue')

/** `cancel` and `lost` are about an attempt of a task; `changed` and `revoked` are about the node itself. */
export type NodeCommand =
  | { type: 'cancel' | 'lost'; taskId: string; attempt: number }
  | { type: 'changed' }
  | { type: 'revoked' }

/** A command for the server that holds the node's socket. Declared here because tasks send commands, too. */
export const nodeHint = defineHint<{ nodeId: number; command: NodeCommand }>('node')

/** `stopped`: the task no longer runs in this attempt. `free`: a server has left tasks to the others. */
export const studyHint = defineHint<{ type: 'stopped'; taskId: number; attempt: number } | { type: 'free' }>(
  'study',
)
