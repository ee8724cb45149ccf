import { MAX_NODE_FRAME_BYTES, type NodeFrameOf } from '../protocol/node/node-frames.ts'
import { cutStart, cutText } from '../util/cut.ts'
import { isJsonObject, type JsonObject } from '../util/json.ts'
import { isTooDeep, MAX_DEPTH } from '../util/storable.ts'
import { Conflated } from './conflated.ts'
import { ObjectFinder } from './json-objects.ts'
import type { Line } from './lines.ts'
import { type LogLevel, logLevel } from './log-levels.ts'

export interface TaskProgress {
  progress: number
  current_item?: string
}

/** The fields of a `failed` frame. */
export type Failure = Omit<NodeFrameOf<'failed'>, 'type' | 'task_id' | 'attempt'>
/** How a task ended: the fields of its last frame. */
export type Outcome = { result: JsonObject } | Failure

/** How a process ended. */
export interface Exit {
  code: number | null
  signal: string | null
}

export interface OutputEvents {
  progress(progress: TaskProgress): void
  log(level: LogLevel, message: string): void
}

const MAX_MESSAGE = 4000
const MAX_ITEM = 500
/**
 * The longest line that is read completely. A result may be longer as the program writes it (`\u4e2d`) than as it is
 * sent.
 */
export const MAX_LINE = 4 * MAX_NODE_FRAME_BYTES
/** The part of a `completed` frame around the result. */
const MAX_RESULT_BYTES = MAX_NODE_FRAME_BYTES - 1024
/** The server accepts frames of MAX_DEPTH levels, of which the frame itself is one. */
const MAX_RESULT_DEPTH = MAX_DEPTH - 1
const STATE_INTERVAL_MS = 1000

/** The key of a result in a line of text, also within a JSON string. */
const RESULT_WITHIN = /(\\?["'])result\1\s*:/

/** Cuts a text to a limit of the protocol. Half a surrogate pair of the task would not survive UTF-8. */
const cutTo = (text: string, max: number): string => cutText(text, max, '…').toWellFormed()

/**
 * Reads what a task's process prints. On standard output these JSON objects are messages: `{"progress": 45.5,
 * "current_item": "…"}`, `{"log": {"level", "message"}}`, `{"result": {…}}`, `{"error": "…"}`. Any other text there is a log
 * line, and so is standard error, whose tail explains a failure that has no `error`.
 *
 * A printed result is the task's result, or the task fails and its error says why, or a line in the log says why the result
 * does not count. Of several results the last one counts.
 */
export class TaskOutput {
  private result: { value: JsonObject } | { failure: Failure } | undefined
  private results = 0
  private error: string | undefined
  private errorTail = ''
  private hasStrayResult = false
  private shownState: string | undefined
  private readonly objects: ObjectFinder
  private readonly states: Conflated<string>

  constructor(private readonly events: OutputEvents) {
    this.states = new Conflated((text) => {
      this.shownState = text
      events.log('INFO', text)
    }, STATE_INTERVAL_MS)
    this.objects = new ObjectFinder(
      MAX_LINE,
      {
        object: (value) => this.read(value),
        text: (line) => this.logText('INFO', line),
        spoilt: (why) => this.spoilt(why),
      },
      hasResultKey,
    )
  }

  stdout(line: Line): void {
    if (this.isShown(line)) return
    const { text, cut } = line
    if (!cut) this.objects.line(text)
    else if (hasResultKey(text)) this.spoilt('too long')
    else this.logText('INFO', text)
  }

  /** A line of standard output that the program writes over. */
  stdoutOverwritten(line: Line): void {
    if (mayBeObject(line.text)) this.stdout({ ...line, redrawn: false })
  }

  stdoutState(text: string): void {
    if (!mayBeObject(text)) this.state(text)
  }

  stderr(line: Line): void {
    if (this.isShown(line)) return
    this.errorTail = cutStart(`${this.errorTail}\n${cutText(line.text, MAX_MESSAGE)}`, MAX_MESSAGE)
    // A progress bar is no warning, although most programs draw it on standard error.
    this.logText(line.redrawn ? 'INFO' : 'WARNING', line.text)
  }

  /** Logs, at most once a second, a line that the program writes over again and again. */
  state(text: string): void {
    this.states.set(cutTo(text, MAX_MESSAGE))
  }

  /** The outcome of an ended process. @param stopped why the node stopped it, and so why the task failed */
  outcome(exit: Exit, stopped?: Failure): Outcome {
    this.objects.end()
    this.states.flush()
    const failure = stopped ?? this.failure(exit)
    this.explain(failure)
    if (failure) return failure
    return { result: this.result && 'value' in this.result ? this.result.value : {} }
  }

  private failure({ code, signal }: Exit): Failure | undefined {
    const exit = {
      ...(code !== null && code !== 0 && { exit_code: code }),
      ...(signal !== null && { signal }),
    }
    if (this.error !== undefined) return { error: this.error, ...exit }
    if (code === 0 && signal === null)
      return this.result && 'failure' in this.result ? this.result.failure : undefined
    const said = this.errorTail.trim().toWellFormed()
    if (said !== '') return { error: said, ...exit }
    const ended = signal === null ? `exited with code ${code}` : `killed by ${signal}`
    return { error: ended, code: 'exited', ...exit }
  }

  private explain(failure: Failure | undefined): void {
    const { result } = this
    if (result && 'value' in result && failure)
      this.warn(
        `the task printed a result and failed, so the result does not count: ${JSON.stringify(result.value)}`,
      )
    else if (this.results > 1) this.warn(`the task printed ${this.results} results: the last one counts`)
    if (this.hasStrayResult && this.results === 0)
      this.warn(
        'a line contains a result and is not one: print {"result": {…}} on standard output, on a new line',
      )
  }

  private warn(message: string): void {
    this.events.log('WARNING', cutTo(message, MAX_MESSAGE))
  }

  /** Blank, or the end of a progress bar that is in the log already. */
  private isShown({ text, redrawn }: Line): boolean {
    if (redrawn) this.states.clear()
    return text.trim() === '' || (redrawn && cutTo(text, MAX_MESSAGE) === this.shownState)
  }

  private logText(level: LogLevel, text: string): void {
    if (text.trim() === '') return
    this.hasStrayResult ||= RESULT_WITHIN.test(text)
    this.events.log(level, cutTo(text, MAX_MESSAGE))
  }

  /** @returns false when the object is no message */
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
    const log = typeof message.log === 'string' ? { message: message.log } : message.log
    if (isJsonObject(log) && typeof log.message === 'string') {
      known = true
      this.events.log(logLevel(log.level), cutTo(log.message, MAX_MESSAGE))
    }
    if ('result' in message) {
      known = true
      this.results++
      this.result = checkedResult(message.result)
    }
    if (typeof message.error === 'string') {
      known = true
      this.error = cutTo(message.error.trim(), MAX_MESSAGE) || 'the task reported an error without a message'
    }
    return known
  }

  private spoilt(why: 'invalid' | 'incomplete' | 'too long'): void {
    this.results++
    this.result = { failure: why === 'too long' ? tooLarge : why === 'invalid' ? invalid : incomplete }
  }
}

const tooLarge: Failure = {
  error: `the task's result is larger than ${MAX_RESULT_BYTES} bytes`,
  code: 'result_too_large',
  limit: MAX_RESULT_BYTES,
}
const tooDeep: Failure = {
  error: `the task's result has more than ${MAX_RESULT_DEPTH} levels`,
  code: 'result_too_deep',
  limit: MAX_RESULT_DEPTH,
}
const noObject: Failure = { error: "the task's result is no JSON object", code: 'result_invalid' }
const invalid: Failure = {
  error: 'the task printed a result that is not valid JSON (in Python, print it with json.dumps)',
  code: 'result_invalid',
}
const incomplete: Failure = {
  error: 'the task printed a result that is not complete',
  code: 'result_invalid',
}

/** Whether a line may be more than text, which only its end shows. */
const mayBeObject = (text: string): boolean => /^\s*\{/.test(text)

const STRING_OR_BRACKET = /"[^"\\]*(?:\\.[^"\\]*)*"|'[^'\\]*(?:\\.[^'\\]*)*'|[{}[\]]/g

/**
 * Whether text that is not valid JSON was meant as an object with a result. A dictionary that Python's `print` wrote counts,
 * too. A key `result` of an object within the object does not count.
 */
function hasResultKey(text: string): boolean {
  if (!mayBeObject(text)) return false
  let depth = 0
  for (const { 0: token, index } of text.matchAll(STRING_OR_BRACKET)) {
    if (token === '{' || token === '[') depth++
    else if (token === '}' || token === ']') depth--
    else if (
      depth === 1 &&
      token.slice(1, -1) === 'result' &&
      /^\s*:/.test(text.slice(index + 8, index + 40))
    )
      return true
    if (depth === 0) return false
  }
  return false
}

function checkedResult(value: unknown): { value: JsonObject } | { failure: Failure } {
  if (!isJsonObject(value)) return { failure: noObject }
  // Before the result is serialised, because that recurses.
  if (isTooDeep(value, MAX_RESULT_DEPTH)) return { failure: tooDeep }
  if (Buffer.byteLength(JSON.stringify(value)) > MAX_RESULT_BYTES) return { failure: tooLarge }
  return { value }
}
