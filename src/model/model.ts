import type { TSchema } from '@sinclair/typebox'
import type { JsonObject } from '../util/json.ts'
import type { Language } from '../util/language.ts'

/** A message of a conversation, as a model gets it. */
export type ChatMessage =
  | { role: 'user'; content: string }
  | { role: 'assistant'; content: string; toolCalls: ToolCall[] }
  | { role: 'tool'; toolCallId: string; toolName: string; content: string }

export interface ToolCall {
  id: string
  name: string
  input: JsonObject
}

/** A tool that a model may call; `input` is a JSON schema. */
export interface ToolDescription {
  name: string
  description: string
  input: TSchema
}

export interface Turn {
  messages: ChatMessage[]
  tools: ToolDescription[]
  /** The language in which the user writes. */
  language: Language
  /** IANA name of the user's time zone. */
  timezone: string
  /** What the user's application tells about where the user is and what they see; may be empty. */
  background: string
  now: Date
  /** Its abort ends the turn. */
  signal: AbortSignal
}

export type TurnPart =
  | { type: 'text'; delta: string }
  /** The model's thoughts before its answer. Clients show them, but they are no part of the answer. */
  | { type: 'reasoning'; delta: string }
  /** `problem`: the arguments are no JSON object, so `input` is empty and the tool must not run. */
  | ({ type: 'tool_call'; problem?: string } & Omit<ToolCall, 'id'>)

/** A language model. A turn yields text, tool calls or both; the caller runs the tools and asks again with their results. */
export interface ChatModel {
  /** Throws ModelError, or the signal's reason. */
  turn(turn: Turn): AsyncIterable<TurnPart>
}

export const MODEL_FAULTS = [
  'MODEL_UNAVAILABLE',
  'MODEL_RATE_LIMITED',
  'MODEL_REFUSED',
  'MODEL_INTERRUPTED',
  'MODEL_TIMEOUT',
  /** The answer has reached the model's length limit. */
  'MODEL_CUT_OFF',
  /** A content filter of the API stopped the answer. */
  'MODEL_FILTERED',
  'MODEL_EMPTY',
] as const
export type ModelFault = (typeof MODEL_FAULTS)[number]

/** Why a model did not answer. Only the server's log may show `cause`, because it may contain keys. */
export class ModelError extends Error {
  override name = 'ModelError'
  constructor(
    readonly code: ModelFault,
    cause?: unknown,
  ) {
    super(code, { cause })
  }
}
