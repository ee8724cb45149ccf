/**
 * The live channel's frames, protocol version 1 (docs/protocol.md): JSON text, every frame `{type, …}`.
 * What clients send is a closed union, validated; what the server sends is typed here.
 */
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { isRawNumber, parseJson } from '../util/json.ts'

export const PROTOCOL_VERSION = 1

/** Largest frame a client may send, in bytes of UTF-8. */
export const MAX_CLIENT_FRAME_BYTES = 16 * 1024
/** And before it has signed in: an `auth` frame with the longest token. */
export const MAX_STRANGER_FRAME_BYTES = 6 * 1024

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

/** What a client's frame was about, in the client's own words; its answers repeat it. */
export interface About {
  topic?: string | number
  task_id?: string | number
  /** Any frame may have one. */
  id?: string | number
}

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
  frame('ping', {}),
])
export type ClientFrame = Static<typeof ClientFrame>

/** The log does not keep what comes after the cursor; or it is another database's, or of a time to come. */
export type ResyncReason = 'expired' | 'epoch' | 'unknown'

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
  /** `id`: of the frame that asked for it, when that had one. */
  | { type: 'subscribed' | 'unsubscribed'; topic: string; id?: string | number }
  /** `retryable`: the same frame may succeed later. */
  | ({ type: 'error'; code: string; message: string; retryable?: true } & About)
  /** The cursor can't be served from the log: fetch anew, go on from `cursor`. */
  | { type: 'resync'; cursor: string; reason: ResyncReason }
  | { type: 'auth_expiring'; expires_at: string }
  | { type: 'draining'; reconnect_after_ms: number }

const checks = new Map<string, ReturnType<typeof TypeCompiler.Compile>>()
for (const schema of ClientFrame.anyOf) checks.set(schema.properties.type.const, TypeCompiler.Compile(schema))

/** A frame, or what is wrong with it: `malformed` (no JSON text, or no object with a type) or `problem`. */
export type ReadFrame =
  | { malformed: true }
  | { problem: string; about: About }
  | { frame: ClientFrame; about: About }

export function parseClientFrame(data: string | Buffer): ReadFrame {
  let value: unknown
  try {
    // An id is repeated as it was written, also beyond what a double holds.
    value = typeof data === 'string' ? parseJson(data, 'null') : undefined
  } catch {
    return { malformed: true }
  }
  const type = (value as { type?: unknown } | null | undefined)?.type
  if (typeof type !== 'string') return { malformed: true }
  const about = aboutOf(value as Record<string, unknown>)
  const check = checks.get(type)
  if (!check) return { problem: `unknown frame type; this server speaks protocol ${PROTOCOL_VERSION}`, about }
  if (check.Check(value)) return { frame: value as ClientFrame, about }
  const error = check.Errors(value).First()
  return { problem: `${error?.path || '/'}: ${error?.message}`, about }
}

/** Texts and numbers only: what else may stand there has no use, and no bound. */
function aboutOf(frame: Record<string, unknown>): About {
  const about: About = {}
  for (const name of ['topic', 'task_id', 'id'] as const) {
    const value = frame[name]
    if (typeof value === 'string' || typeof value === 'number' || isRawNumber(value)) {
      about[name] = value as string | number
    }
  }
  return about
}
