/** Frames that the server sends on `GET /ws/connect`: control frames, events (`events.ts`) and states (`topics.ts`). */
import { type Static, Type } from '@sinclair/typebox'
import { frame } from '../frame.ts'
import { Instant, oneOf } from '../schemas.ts'
import { PROTOCOL_VERSION } from './client-frames.ts'

/** A value of the client's frame, repeated as the client wrote it. */
const Repeated = Type.Union([Type.String(), Type.Number()])

/**
 * Why the events after a cursor cannot be sent: the log does not keep them any more, the cursor is of another database,
 * or the log has not come so far.
 */
export const ResyncReason = oneOf('expired', 'epoch', 'unknown')
export type ResyncReason = Static<typeof ResyncReason>

export const ControlFrame = Type.Union([
  /**
   * The first frame after the sign-in. `cursor` is the position from which this socket goes on, `head` that of the newest event:
   * a client that has reached it has caught up.
   */
  frame('welcome', {
    protocol: Type.Literal(PROTOCOL_VERSION),
    connection_id: Type.String(),
    user_id: Type.Integer(),
    cursor: Type.String(),
    head: Type.String(),
    expires_at: Instant,
  }),
  /** `cursor`: the server has sent every event up to it on this socket. Absent before the sign-in. */
  frame('pong', { cursor: Type.Optional(Type.String()), id: Type.Optional(Repeated) }),
  frame('subscribed', { topic: Type.String(), id: Type.Optional(Repeated) }),
  frame('unsubscribed', { topic: Type.String(), id: Type.Optional(Repeated) }),
  /** `topic`, `task_id` and `id` are those of the frame that failed. `retryable`: the same frame may succeed later. */
  frame('error', {
    code: Type.String(),
    message: Type.String(),
    topic: Type.Optional(Repeated),
    task_id: Type.Optional(Repeated),
    id: Type.Optional(Repeated),
    retryable: Type.Optional(Type.Literal(true)),
  }),
  /** The client fetches what it shows anew and goes on from `cursor`. */
  frame('resync', { cursor: Type.String(), reason: ResyncReason }),
  frame('auth_expiring', { expires_at: Instant }),
  frame('draining', { reconnect_after_ms: Type.Integer({ minimum: 0 }) }),
])
export type ControlFrame = Static<typeof ControlFrame>
