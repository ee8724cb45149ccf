import { isJsonObject } from '../util/json.ts'
import type { ModelFault } from './model.ts'
import { type Said, Thinking } from './thinking.ts'
import { type CallPiece, ToolCalls } from './tool-calls.ts'

/** Finish reasons of several APIs that mean a failure. Every other reason is a normal end. */
const ENDINGS: [RegExp, ModelFault][] = [
  [
    /^(?:length|max_(?:output_)?tokens|(?:model|max)_length|model_context_window_exceeded)$/i,
    'MODEL_CUT_OFF',
  ],
  [
    /^(?:content[_-]?filter(?:ed)?|safety|sensitive|refusal|recitation|blocklist|prohibited_content|spii|guardrail_intervened)$/i,
    'MODEL_FILTERED',
  ],
  [
    /^(?:error|abort(?:ed)?|cancelled|network_error|insufficient_system_resource|malformed_function_call)$/i,
    'MODEL_INTERRUPTED',
  ],
]

/** Reads one answer from its chunks. */
export class Answer {
  readonly calls = new ToolCalls()
  private readonly thinking = new Thinking()
  private reason = ''
  private hasText = false
  /** The API has sent `[DONE]`. */
  done = false

  /** Whether the API has ended the answer. An error after that does not make the answer a failure. */
  get ended(): boolean {
    return this.done || this.reason !== ''
  }

  /** How many pieces of content have arrived: text, thoughts and pieces of tool calls. */
  pieces = 0

  /** @returns the text and thoughts of a chunk */
  take(chunk: unknown): Said[] {
    return [...this.read(chunk)]
  }

  private *read(chunk: unknown): Generator<Said> {
    const choices = isJsonObject(chunk) ? chunk.choices : undefined
    // Chunks with usage figures, and chunks that keep the connection alive, have no choice.
    const choice: unknown = Array.isArray(choices) ? choices[0] : undefined
    if (!isJsonObject(choice)) return
    // The first reason counts, because some APIs send further chunks after it.
    this.reason ||= textOf(choice.finish_reason)
    // An API that does not stream sends `message`.
    const delta = choice.delta ?? choice.message
    if (!isJsonObject(delta)) return
    const thought = textOf(delta.reasoning_content) || textOf(delta.reasoning)
    if (thought !== '') this.pieces++
    if (thought !== '') yield this.said({ type: 'reasoning', delta: thought })
    for (const part of partsOf(delta.content)) {
      this.pieces++
      if (part.type === 'reasoning') yield this.said(part)
      else for (const said of this.thinking.push(part.delta)) yield this.said(said)
    }
    const refusal = textOf(delta.refusal)
    if (refusal !== '') yield this.said({ type: 'text', delta: refusal })
    for (const call of Array.isArray(delta.tool_calls) ? delta.tool_calls : []) {
      this.pieces++
      if (isJsonObject(call)) this.calls.add(call as CallPiece)
    }
  }

  /** @returns the text that was held back */
  end(): Said[] {
    return this.thinking.end().map((said) => this.said(said))
  }

  get ending(): string {
    return this.reason || (this.done ? 'no reason' : 'the connection')
  }

  /** Why the answer failed; undefined: it is complete. */
  get fault(): ModelFault | undefined {
    if (!this.ended) return 'MODEL_INTERRUPTED'
    const [, fault] = ENDINGS.find(([pattern]) => pattern.test(this.reason)) ?? []
    return fault ?? (this.hasText || this.calls.whole.length > 0 ? undefined : 'MODEL_EMPTY')
  }

  private said(part: Said): Said {
    if (part.type === 'text' && part.delta.trim() !== '') this.hasText = true
    return part
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** The content of a chunk, which may be text or a list of parts. */
function partsOf(content: unknown): Said[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', delta: content }]
  if (!Array.isArray(content)) return []
  return content.filter(isJsonObject).flatMap((part): Said[] => {
    if (part.type !== 'thinking') return partsOf(part.text)
    const thoughts = Array.isArray(part.thinking) ? part.thinking : [{ text: part.thinking }]
    return thoughts.filter(isJsonObject).map(({ text }) => ({ type: 'reasoning', delta: textOf(text) }))
  })
}
