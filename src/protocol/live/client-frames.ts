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

const TaskId = Type.Union(
  [Type.Integer({ minimum: 1, maximum: 2_147_483_647 }), Type.String({ minLength: 1, maxLength: 64 })],
  { description: 'The number of the task, or its UUID.' },
)
const Topic = Type.String({ minLength: 1, maxLength: 128, description: 'The name of a topic.' })

/** The server reads it from any frame, and ignores one of another type. */
export const FrameId = Type.Union([Type.String(), Type.Number()], {
  description: 'Any frame may have one. The answer repeats it as the client wrote it.',
})

export const ClientFrame = Type.Union([
  frame('auth', 'Signs in, or renews the token of a socket that is signed in.', {
    token: Type.String({ maxLength: 4096, description: 'An access token.' }),
  }),
  frame(
    'subscribe_task',
    'Asks for the state of a task: task_update frames, the current one at once. Nothing but an error answers it.',
    { task_id: TaskId },
  ),
  frame('unsubscribe_task', 'Ends subscribe_task.', { task_id: TaskId }),
  frame(
    'subscribe',
    'Asks for the state of a topic: after the answer come its frames, the current one at once.',
    {
      topic: Topic,
      agent_seq: Type.Optional(
        Type.Integer({
          minimum: 0,
          description:
            'Of an agent topic: the number of the last frame that the client has. Without it the newest answer comes from its beginning.',
        }),
      ),
      log_position: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: MAX_POSITION,
          description:
            'Of a task topic: the position of the last line of the log that the client has; 0: from the first line. Without it only new lines come.',
        }),
      ),
    },
  ),
  frame('unsubscribe', 'Ends subscribe.', { topic: Topic }),
  frame('ping', 'Asks whether the server is there.', {}),
])
export type ClientFrame = Static<typeof ClientFrame>
