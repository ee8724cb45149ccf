/** Frames that the server sends on `GET /ws/connect`: control frames, events (`events.ts`) and states (`topics.ts`). */
import { type Static, Type } from '@sinclair/typebox'
import { frame } from '../frame.ts'
import { described, Instant, oneOf } from '../schemas.ts'
import { PROTOCOL_VERSION } from './client-frames.ts'

const id = Type.Optional(
  Type.Union([Type.String(), Type.Number()], {
    description: 'The id of the frame that this one answers, as the client wrote it.',
  }),
)
/** A value of the client's frame. */
const repeated = (name: string) =>
  Type.Optional(
    Type.Union([Type.String(), Type.Number()], {
      description: `The ${name} of the frame that failed, as the client wrote it.`,
    }),
  )
const topic = Type.String({ description: 'The name of the topic.' })
const Cursor = Type.String({
  description: 'A position in the user’s channel, from which this socket goes on. Opaque.',
})

export const ResyncReason = described(
  oneOf('expired', 'epoch', 'unknown'),
  'expired: the log does not keep the events any more. epoch: the cursor is of another database. unknown: the log has not come so far.',
)
export type ResyncReason = Static<typeof ResyncReason>

export const ControlFrame = Type.Union([
  frame('welcome', 'The first frame after the sign-in.', {
    protocol: Type.Literal(PROTOCOL_VERSION, { description: 'The version of the protocol.' }),
    connection_id: Type.String({ description: 'Names this socket in the log of the server.' }),
    user_id: Type.Integer(),
    cursor: Cursor,
    head: Type.String({
      description: 'The position of the newest event: a client that has reached it has caught up.',
    }),
    expires_at: described(Instant, 'When the access token expires.'),
  }),
  frame('pong', 'Answers a ping.', {
    cursor: Type.Optional(
      Type.String({
        description: 'The server has sent every event up to it on this socket. Absent before the sign-in.',
      }),
    ),
    id,
  }),
  frame('subscribed', 'Answers subscribe. The state of the topic follows.', { topic, id }),
  frame(
    'unsubscribed',
    'Answers unsubscribe and unsubscribe_task. The server also sends it by itself, when the user may not see the topic any more.',
    { topic, id },
  ),
  frame('error', 'The server refused a frame, or a topic in the address of the socket.', {
    code: Type.String({ description: 'For programs, such as NOT_FOUND, PERMISSION_DENIED or BAD_FRAME.' }),
    message: Type.String({ description: 'For people.' }),
    topic: repeated('topic'),
    task_id: repeated('task_id'),
    id,
    retryable: Type.Optional(Type.Literal(true, { description: 'The same frame may succeed later.' })),
  }),
  frame(
    'resync',
    'The server cannot send the events after the cursor of the client. The client fetches what it shows anew, and goes on from this cursor.',
    { cursor: Cursor, reason: ResyncReason },
  ),
  frame('auth_expiring', 'The access token expires within a minute. The client sends auth with a new one.', {
    expires_at: Instant,
  }),
  frame('draining', 'The server restarts. The client reconnects after the delay.', {
    reconnect_after_ms: Type.Integer({ minimum: 0, description: 'Milliseconds.' }),
  }),
])
export type ControlFrame = Static<typeof ControlFrame>
