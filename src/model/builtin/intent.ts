import type { ToolCall } from '../model.ts'

/** What a message asks for: tool calls, or something that only words answer. */
export type Intent =
  | Call
  /** A task of a type that only the nodes can know. */
  | { kind: 'start'; request: string; named: string | undefined }
  | { kind: Spoken }

interface Call {
  kind: 'call'
  name: string
  input: ToolCall['input']
  /** More was asked for than the list can be narrowed down to. */
  isUnfiltered?: boolean
}

export type Spoken = 'greeting' | 'unknown' | 'declined' | 'question' | Lacking

/** What an answer asks back for. */
type Lacking =
  | 'which_task'
  | 'which_type'
  | 'which_video'
  | 'which_time'
  | 'unclear_time'
  | 'unclear_repeat'
  | 'unclear_reminder'
  | 'which_item'

export interface Place {
  /** IANA name. */
  timezone: string
  now: Date
}

export const call = (name: string, input: ToolCall['input']): Call => ({ kind: 'call', name, input })
