import type { TSchema } from '@sinclair/typebox'
import type { JsonObject } from '../util/json.ts'
import type { Language } from '../util/language.ts'

/** A conversation as a model reads it. */
export type ChatMessage =
  | { role: 'user'; content: string }
  | { role: 'assistant'; content: string; toolCalls: ToolCall[] }
  | { role: 'tool'; toolCallId: string; toolName: string; content: string }

export interface ToolCall {
  id: string
  name: string
  input: JsonObject
}

/** What a model may call; `input` is a JSON schema. */
export interface ToolDescription {
  name: string
  description: string
  input: TSchema
}

export interface Turn {
  messages: ChatMessage[]
  tools: ToolDescription[]
  /** What the user writes in. */
  language: Language
  /** IANA name of where the user is. */
  timezone: string
  now: Date
  /** Stops the request that is under way. */
  signal: AbortSignal
}

export type TurnPart =
  | { type: 'text'; delta: string }
  /** What the model thinks before it answers. Shown, but no part of the answer. */
  | { type: 'reasoning'; delta: string }
  /** `problem`: the arguments were no JSON object, so `input` is empty and the tool must not run. */
  | ({ type: 'tool_call'; problem?: string } & Omit<ToolCall, 'id'>)

/** One turn of an answer: text, tool calls, or both. Whoever asks runs the tools, and asks again with their results. */
export interface ChatModel {
  /** Rejects with ModelError, or with the signal's reason. */
  turn(turn: Turn): AsyncIterable<TurnPart>
}

export const MODEL_FAULTS = [
  'MODEL_UNAVAILABLE',
  'MODEL_RATE_LIMITED',
  'MODEL_REFUSED',
  'MODEL_INTERRUPTED',
  'MODEL_TIMEOUT',
  /** The answer reached the model's limit of length. */
  'MODEL_CUT_OFF',
  /** A content filter of the API stopped the answer. */
  'MODEL_FILTERED',
  'MODEL_EMPTY',
] as const
export type ModelFault = (typeof MODEL_FAULTS)[number]

/** Why a model did not answer. `cause` is for the log of the server, never for the user: it may name keys. */
export class ModelError extends Error {
  override name = 'ModelError'
  constructor(
    readonly code: ModelFault,
    cause?: unknown,
  ) {
    super(code, { cause })
  }
}
