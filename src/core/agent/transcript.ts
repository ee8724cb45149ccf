import type { ToolCall } from '../../model/model.ts'
import { isJsonObject, parseJson } from '../../util/json.ts'
import { type AgentEvent, EventType } from './ag-ui.ts'

/** A message as it is stored. */
export interface TranscriptMessage {
  id: string
  role: 'assistant' | 'tool'
  content: string
  toolCalls?: ToolCall[]
  toolCallId?: string
}

/**
 * Makes messages from the events of a run. The run itself uses it, and so does a server that ends the run of a killed
 * one: the stored messages are what clients have seen.
 */
export class Transcript {
  readonly messages: TranscriptMessage[] = []
  /** The message that has begun and not ended: text, or thoughts, which are shown and not stored. */
  open: { kind: 'text' | 'reasoning'; messageId: string } | undefined
  private openCalls = 0
  private readonly calls = new Map<string, { name: string; args: string; parent: TranscriptMessage }>()

  apply(event: AgentEvent): void {
    switch (event.type) {
      case EventType.TEXT_MESSAGE_START:
        this.messages.push({ id: event.messageId, role: 'assistant', content: '' })
        this.open = { kind: 'text', messageId: event.messageId }
        break
      case EventType.REASONING_START:
        this.open = { kind: 'reasoning', messageId: event.messageId }
        break
      case EventType.TEXT_MESSAGE_CONTENT:
        this.message(event.messageId).content += event.delta
        break
      case EventType.TEXT_MESSAGE_END:
      case EventType.REASONING_END:
        this.open = undefined
        break
      case EventType.TOOL_CALL_START: {
        const parent = this.message(event.parentMessageId!)
        this.calls.set(event.toolCallId, { name: event.toolCallName, args: '', parent })
        this.openCalls++
        break
      }
      case EventType.TOOL_CALL_ARGS:
        this.calls.get(event.toolCallId)!.args += event.delta
        break
      case EventType.TOOL_CALL_END: {
        this.openCalls--
        const { name, args, parent } = this.calls.get(event.toolCallId)!
        const input = parseJson(args, 'null')
        parent.toolCalls = [
          ...(parent.toolCalls ?? []),
          { id: event.toolCallId, name, input: isJsonObject(input) ? input : {} },
        ]
        break
      }
      case EventType.TOOL_CALL_RESULT:
        this.messages.push({
          id: event.messageId,
          role: 'tool',
          content: event.content as string,
          toolCallId: event.toolCallId,
        })
        break
    }
  }

  /** Whether no message and no call has begun without its end. */
  get isClosed(): boolean {
    return !this.open && this.openCalls === 0
  }

  /** The events that end the open message. */
  get closing(): AgentEvent[] {
    if (!this.open) return []
    const { kind, messageId } = this.open
    if (kind === 'text') return [{ type: EventType.TEXT_MESSAGE_END, messageId }]
    return [
      { type: EventType.REASONING_MESSAGE_END, messageId },
      { type: EventType.REASONING_END, messageId },
    ]
  }

  /** The text of the run, without tool calls and their results. */
  get output(): string {
    const texts = this.messages.filter(({ role, content }) => role === 'assistant' && content !== '')
    return texts.map(({ content }) => content).join('\n\n')
  }

  /** A turn that only calls tools has no text message in its frames; it gets an empty one. */
  private message(id: string): TranscriptMessage {
    const known = this.messages.find((message) => message.id === id)
    if (known) return known
    const message: TranscriptMessage = { id, role: 'assistant', content: '' }
    this.messages.push(message)
    return message
  }
}
