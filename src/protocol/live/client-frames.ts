/** Frames that a client sends on `GET /ws/connect`: a closed union, which the server validates. */
import { type Static, Type } from '@sinclair/typebox'
import { frame } from '../frame.ts'

export const PROTOCOL_VERSION = 1

/** Largest frame that a client may send, in bytes of UTF-8. */
export const MAX_CLIENT_FRAME_BYTES = 16 * 1024
/** The same before the sign-in: an `auth` frame with the longest token. */
export const MAX_STRANGER_FRAME_BYTES = 6 * 1024

/** The largest position of a line in a task's log. */
export const MAX_POSITION = 2_147_483_647

const TaskId = Type.Union([
  Type.Integer({ minimum: 1, maximum: 2_147_483_647 }),
  Type.String({ minLength: 1, maxLength: 64 }),
])
const Topic = Type.String({ minLength: 1, maxLength: 128 })

/** Any frame may also have an `id`, a string or a number, which the server's answers repeat. */
export const ClientFrame = Type.Union([
  /** Signs in, or renews the token of a socket that is signed in. */
  frame('auth', { token: Type.String({ maxLength: 4096 }) }),
  frame('subscribe_task', { task_id: TaskId }),
  frame('unsubscribe_task', { task_id: TaskId }),
  /**
   * `agent_seq`: number of the last frame that the client has of an agent's session. `log_position`: position of the last line
   * that it has of a task's log.
   */
  frame('subscribe', {
    topic: Topic,
    agent_seq: Type.Optional(Type.Integer({ minimum: 0 })),
    log_position: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_POSITION })),
  }),
  frame('unsubscribe', { topic: Topic }),
  frame('ping', {}),
])
export type ClientFrame = Static<typeof ClientFrame>
