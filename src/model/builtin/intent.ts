import type { ToolCall } from '../model.ts'

/** What a message asks for: a tool call, or an answer in words. */
export type Intent =
  | Call
  /** A task whose type only the nodes know. */
  | { kind: 'start'; request: string; named: string | undefined }
  | { kind: Spoken }

interface Call {
  kind: 'call'
  name: string
  input: ToolCall['input']
  /** The request names conditions by which the list cannot be filtered. */
  isUnfiltered?: boolean
}

export type Spoken = 'greeting' | 'unknown' | 'declined' | 'question' | Lacking

/** What the request lacks, so that the agent asks for it. */
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
  /** IANA name of the user's time zone. */
  timezone: string
  now: Date
}

export const call = (name: string, input: ToolCall['input']): Call => ({ kind: 'call', name, input })
