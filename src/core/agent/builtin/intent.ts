import type { ToolCall } from '../model.ts'

/** What a message asks for: tool calls, or something that only words answer. */
export type Intent =
  | { kind: 'call'; name: string; input: Record<string, unknown> }
  | { kind: 'greeting' | 'unknown' | 'declined' | 'question' | Lacking }

/** What an answer asks back for. */
type Lacking = 'which_task' | 'which_type' | 'which_time' | 'unclear_time' | 'unclear_repeat' | 'which_item'

export interface Place {
  /** IANA name. */
  timezone: string
  now: Date
}

export const call = (name: string, input: ToolCall['input'] & object): Intent => ({
  kind: 'call',
  ...{ name, input: input as Record<string, unknown> },
})
