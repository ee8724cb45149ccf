/** Frames that the server sends to a GPU node on `GET /ws/node`. */
import { type Static, Type } from '@sinclair/typebox'
import { frame } from '../frame.ts'
import { described, nullable } from '../schemas.ts'
import { attemptFields } from './node-frames.ts'

export const NodeServerFrame = Type.Union([
  frame('welcome', 'The node is signed in. A second one on the same connection ends a drain.', {
    server_id: Type.String({ description: 'The UUID of the GPU server.' }),
    heartbeat_seconds: Type.Number({
      exclusiveMinimum: 0,
      description:
        'How often the server wants a heartbeat. After three that did not come, the node is offline.',
    }),
  }),
  frame('assign', 'A task for the node, which answers with accept or reject within ten seconds.', {
    ...attemptFields,
    attempt: Type.Integer({
      minimum: 1,
      maximum: 2_147_483_647,
      description: attemptFields.attempt.description!,
    }),
    id: Type.Optional(Type.Integer({ description: 'The number of the task.' })),
    task_type: Type.String(),
    config: Type.Record(Type.String(), Type.Unknown(), { description: 'What the user gave the task.' }),
    estimated_duration: described(nullable(Type.Integer()), 'Minutes.'),
  }),
  frame(
    'cancel',
    'The node stops a task: its user has cancelled it, or the node may not keep it.',
    attemptFields,
  ),
  frame('drain', 'The node takes no new tasks. The running ones go on.', {}),
  frame('ack', 'The server has stored completed or failed. The node may forget the attempt.', attemptFields),
  frame('error', 'The server refused a frame. The answer to a frame about a task names the attempt.', {
    code: Type.String({
      description:
        'STALE_ATTEMPT: the attempt does not belong to this node any more; the node stops it and forgets it. BAD_FRAME: the frame does not fit its schema. HELLO_FIRST: the frame came before hello. TRY_AGAIN: the server could not store the frame now.',
    }),
    message: Type.String({ description: 'For people.' }),
    task_id: Type.Optional(attemptFields.task_id),
    attempt: Type.Optional(attemptFields.attempt),
  }),
  frame('draining', 'The server restarts. The node reconnects after the delay.', {
    reconnect_after_ms: Type.Integer({ minimum: 0, description: 'Milliseconds.' }),
  }),
])
export type NodeServerFrame = Static<typeof NodeServerFrame>
export type NodeServerFrameOf<T extends NodeServerFrame['type']> = Extract<NodeServerFrame, { type: T }>
