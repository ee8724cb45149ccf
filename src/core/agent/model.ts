import type { TSchema } from '@sinclair/typebox'
import type { Language } from '../messages.ts'

/** A conversation as a model reads it. */
export type ChatMessage =
  | { role: 'user'; content: string }
  | { role: 'assistant'; content: string; toolCalls: ToolCall[] }
  | { role: 'tool'; toolCallId: string; toolName: string; content: string }

export interface ToolCall {
  id: string
  name: string
  input: unknown
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

export type TurnPart = { type: 'text'; delta: string } | ({ type: 'tool_call' } & Omit<ToolCall, 'id'>)

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
