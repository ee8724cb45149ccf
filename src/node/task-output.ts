import { LogLevel as LogLevels, MAX_NODE_FRAME_BYTES, type NodeFrameOf } from '../live/node-protocol.ts'
import { cutStart, cutText } from '../util/cut.ts'
import type { Line } from './lines.ts'

export type LogLevel = NodeFrameOf<'log'>['level']
export interface TaskProgress {
  progress: number
  current_item?: string
}
type JsonObject = Record<string, unknown>

/** How a task ended, in the words of its final frame. */
export type Outcome = { result: JsonObject } | { error: string }

export interface OutputEvents {
  progress(progress: TaskProgress): void
  log(level: LogLevel, message: string): void
}

export const MAX_MESSAGE = 4000
const MAX_ITEM = 500
/** Longest line read whole. A result may be longer as the program writes it (`\u4e2d`) than as it is sent. */
export const MAX_LINE = 4 * MAX_NODE_FRAME_BYTES
/** What `{"type":"completed",…}` needs around a result. */
const MAX_RESULT_BYTES = MAX_NODE_FRAME_BYTES - 1024

const levels: ReadonlySet<unknown> = new Set(LogLevels.anyOf.map((literal) => literal.const))

/** Cuts for the protocol's limits. Half a surrogate pair, cut or sent by the task, would not survive UTF-8. */
export const cutTo = (text: string, max: number): string => cutText(text, max, '…').toWellFormed()

/**
 * What a task's process says: on standard output one JSON object per line, `{"progress": 45.5, "current_item": "…"}`,
 * `{"log": {"level", "message"}}`, `{"result": {…}}`, `{"error": "…"}`; anything else there is a log line, and so is
 * standard error, whose tail explains a failure that has no `error`.
 */
export class TaskOutput {
  private result: JsonObject | undefined
  private error: string | undefined
  private errorTail = ''

  constructor(private readonly events: OutputEvents) {}

  stdout({ text, cut }: Line): void {
    if (text.trim() === '') return
    const message = cut ? undefined : parsedObject(text)
    if (message === undefined || !this.read(message)) {
      if (cut && /^\s*\{\s*"result"/.test(text)) this.tooLarge()
      else this.events.log('INFO', cutTo(text, MAX_MESSAGE))
    }
  }

  stderr({ text }: Line): void {
    if (text.trim() === '') return
    this.errorTail = cutStart(`${this.errorTail}\n${text}`, MAX_MESSAGE)
    this.events.log('WARNING', cutTo(text, MAX_MESSAGE))
  }

  /** Success is exit code 0 without an `error` line. `ended` says how the process ended, for want of better words. */
  outcome(succeeded: boolean, ended: string): Outcome {
    if (this.error !== undefined) return { error: this.error }
    if (!succeeded) return { error: this.errorTail.trim().toWellFormed() || ended }
    return { result: this.result ?? {} }
  }

  /** False when the object is none of ours. */
  private read(message: JsonObject): boolean {
    let known = false
    if (typeof message.progress === 'number' && Number.isFinite(message.progress)) {
      known = true
      const item = message.current_item
      this.events.progress({
        progress: Math.min(100, Math.max(0, message.progress)),
        ...(typeof item === 'string' && { current_item: cutTo(item, MAX_ITEM) }),
      })
    }
    if (isObject(message.log) && typeof message.log.message === 'string') {
      known = true
      const level = levels.has(message.log.level) ? (message.log.level as LogLevel) : 'INFO'
      this.events.log(level, cutTo(message.log.message, MAX_MESSAGE))
    }
    if ('result' in message) {
      known = true
      const size = isObject(message.result) ? serializedSize(message.result) : undefined
      if (size === undefined) this.error = 'the task wrote a result that is no JSON object, or too deep a one'
      else if (size > MAX_RESULT_BYTES) this.tooLarge()
      else this.result = message.result as JsonObject
    }
    if (typeof message.error === 'string') {
      known = true
      this.error = cutTo(message.error.trim(), MAX_MESSAGE) || 'the task reported an error without a message'
    }
    return known
  }

  private tooLarge(): void {
    this.error = `the task's result is larger than ${MAX_RESULT_BYTES} bytes`
  }
}

function parsedObject(text: string): JsonObject | undefined {
  if (!text.trimStart().startsWith('{')) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** In bytes as sent; undefined when it is nested too deeply for JSON.stringify. */
function serializedSize(value: JsonObject): number | undefined {
  try {
    return Buffer.byteLength(JSON.stringify(value))
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
