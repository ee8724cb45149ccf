/** Frames that the server sends to a GPU node on `GET /ws/node`. */
import { type Static, Type } from '@sinclair/typebox'
import { frame } from '../frame.ts'
import { nullable } from '../schemas.ts'
import { attemptFields } from './node-frames.ts'

export const NodeServerFrame = Type.Union([
  /** The node is signed in. A second `welcome` on the same connection ends a drain. */
  frame('welcome', { server_id: Type.String(), heartbeat_seconds: Type.Number({ exclusiveMinimum: 0 }) }),
  frame('assign', {
    ...attemptFields,
    attempt: Type.Integer({ minimum: 1, maximum: 2_147_483_647 }),
    /** The task's integer id. */
    id: Type.Optional(Type.Integer()),
    task_type: Type.String(),
    config: Type.Record(Type.String(), Type.Unknown()),
    /** Minutes. */
    estimated_duration: nullable(Type.Integer()),
  }),
  frame('cancel', attemptFields),
  frame('drain', {}),
  frame('ack', attemptFields),
  /**
   * `STALE_ATTEMPT`: the named attempt does not belong to this node any more; the node stops it and forgets it. The answer to
   * a frame about a task names the attempt.
   */
  frame('error', {
    code: Type.String(),
    message: Type.String(),
    task_id: Type.Optional(attemptFields.task_id),
    attempt: Type.Optional(attemptFields.attempt),
  }),
  frame('draining', { reconnect_after_ms: Type.Integer({ minimum: 0 }) }),
])
export type NodeServerFrame = Static<typeof NodeServerFrame>
export type NodeServerFrameOf<T extends NodeServerFrame['type']> = Extract<NodeServerFrame, { type: T }>
