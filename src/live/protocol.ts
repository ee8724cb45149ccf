/**
 * The live channel's frames, protocol version 1 (DESIGN 3): JSON text, every frame `{type, …}`.
 * What clients send is a closed union, validated; what the server sends is typed here.
 */
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'

export const PROTOCOL_VERSION = 1

/** Largest frame a client may send, in bytes of UTF-8. */
export const MAX_CLIENT_FRAME_BYTES = 16 * 1024

/** Why a socket was closed; "come back" means that the same client may reconnect with its cursor. */
export const CLOSE = {
  badFrame: 4400,
  /** Not signed in, or the token expired: come back with a fresh one. */
  unauthenticated: 4401,
  /** The session was revoked, or the client is not welcome: don't come back by yourself. */
  forbidden: 4403,
  authTimeout: 4408,
  tooManyConnections: 4409,
  frameTooLarge: 4413,
  tooManyFrames: 4429,
  /** Come back: the log has everything. */
  tooSlow: 4508,
  /** Come back after the delay that `draining` named. */
  restarting: 1012,
} as const

const TaskId = Type.Union([
  Type.Integer({ minimum: 1, maximum: 2_147_483_647 }),
  Type.String({ minLength: 1, maxLength: 64 }),
])
const Topic = Type.String({ minLength: 1, maxLength: 128 })
const frame = <N extends string, P extends Record<string, TSchema>>(type: N, properties: P) =>
  Type.Object({ type: Type.Literal(type), ...properties })

export const ClientFrame = Type.Union([
  /** First sign-in, or renewal of the token on a live socket. */
  frame('auth', { token: Type.String({ maxLength: 4096 }) }),
  frame('subscribe_task', { task_id: TaskId }),
  frame('unsubscribe_task', { task_id: TaskId }),
  /** `agent_seq`: the last frame that the client has of an agent's session. */
  frame('subscribe', { topic: Topic, agent_seq: Type.Optional(Type.Integer({ minimum: 0 })) }),
  frame('unsubscribe', { topic: Topic }),
  frame('ping', { id: Type.Optional(Type.Union([Type.String({ maxLength: 64 }), Type.Number()])) }),
])
export type ClientFrame = Static<typeof ClientFrame>

/** Frames that only carry what their type says; events and state are built as text by the hub. */
export type ServerFrame =
  | {
      type: 'welcome'
      protocol: 1
      connection_id: string
      user_id: number
      cursor: string
      expires_at: string
    }
  | { type: 'pong'; id?: string | number }
  | { type: 'subscribed' | 'unsubscribed'; topic: string }
  | { type: 'error'; code: string; message: string }
  /** The cursor can't be served from the log: fetch anew, go on from `cursor`. */
  | { type: 'resync'; cursor: string; reason: 'expired' | 'epoch' | 'unknown' }
  | { type: 'auth_expiring'; expires_at: string }
  | { type: 'draining'; reconnect_after_ms: number }

const checks = new Map<string, ReturnType<typeof TypeCompiler.Compile>>()
for (const schema of ClientFrame.anyOf) checks.set(schema.properties.type.const, TypeCompiler.Compile(schema))

/**
 * Reads a client's frame.
 * @returns the frame; or what is wrong with it: `malformed` (not JSON or not an object with a type) or `problem`
 */
export function parseClientFrame(text: string): ClientFrame | { malformed: true } | { problem: string } {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { malformed: true }
  }
  const type = (value as { type?: unknown } | null)?.type
  if (typeof type !== 'string') return { malformed: true }
  const check = checks.get(type)
  if (!check) return { problem: `unknown frame type; this server speaks protocol ${PROTOCOL_VERSION}` }
  if (check.Check(value)) return value as ClientFrame
  const error = check.Errors(value).First()
  return { problem: `${error?.path || '/'}: ${error?.message}` }
}
