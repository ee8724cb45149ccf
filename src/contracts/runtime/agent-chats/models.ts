/** docs/contracts/runtime.md, "Agent chats". */
import { type Static, t } from 'elysia'
import { choice } from '../../../http/choice.ts'
import { nullable, optional, Timestamp, Uuid } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'

export const Question = t.Object({
  message: t.String({ minLength: 1, maxLength: 8000, pattern: '\\S' }),
  session_id: optional(Uuid),
  timezone: optional(t.String({ maxLength: 64 })),
})

/** The id of a session, or of a thread of AG-UI. */
export const SessionId = t.Object({ session_id: t.String({ maxLength: 255 }) })

/** docs/contracts/runtime.md, "Agent events". `type` is a type of AG-UI. */
export const ChatEvent = t.Object({
  type: t.String(),
  run_id: nullable(t.String()),
  message_id: nullable(t.String()),
  delta: nullable(t.String()),
  tool_name: nullable(t.String()),
  result: nullable(t.String()),
  output: nullable(t.String()),
  error: nullable(t.String()),
})
export type ChatEvent = Static<typeof ChatEvent>

export const Answer = t.Object({ session_id: t.String(), output: t.String(), events: t.Array(ChatEvent) })

export const Session = t.Object({
  session_id: t.String(),
  title: t.String(),
  created_at: Timestamp,
  updated_at: Timestamp,
})
export type Session = Static<typeof Session>

export const Run = t.Object({
  run_id: t.String(),
  status: choice(['running', 'completed', 'failed', 'cancelled']),
  /** A code. */
  error: nullable(t.String()),
  started_at: Timestamp,
  ended_at: nullable(Timestamp),
})
export type Run = Static<typeof Run>

const Message = t.Object({
  id: t.String(),
  run_id: t.String(),
  role: choice(['user', 'assistant', 'tool']),
  content: t.String(),
  tool_calls: t.Array(t.Object({ id: t.String(), name: t.String(), input: t.Any() })),
  tool_call_id: nullable(t.String()),
  created_at: Timestamp,
})
export type Message = Static<typeof Message>

export const SessionDetail = t.Composite([
  Session,
  t.Object({
    /** The newest run. */
    run: nullable(Run),
    /** The number of the newest frame, from which a live subscription continues. */
    seq: t.Integer(),
    messages: t.Array(Message),
  }),
])
export type SessionDetail = Static<typeof SessionDetail>

export const Cancelled = t.Object({ session_id: t.String(), run: nullable(Run) })
export type Cancelled = Static<typeof Cancelled>

named({
  AgentAnswer: Answer,
  AgentEvent: ChatEvent,
  AgentSession: Session,
  AgentRun: Run,
  AgentSessionDetail: SessionDetail,
})
