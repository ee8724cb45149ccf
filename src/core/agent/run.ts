import { cutText } from '../../util/cut.ts'
import { StorableText, storable } from '../../util/storable.ts'
import type { Principal } from '../accounts/principals.ts'
import type { Core } from '../context.ts'
import { AppError } from '../errors.ts'
import { type Language, message } from '../messages.ts'
import { type AgentEvent, EventType } from './events.ts'
import { faultOf, faultText, RunCancelled, RunError } from './faults.ts'
import { type FrameLog, RunLost } from './frame-log.ts'
import type { ChatMessage, ChatModel, ToolCall } from './model.ts'
import { RunWriter } from './run-writer.ts'
import { type AgentMessage, historyOf } from './sessions.ts'
import { finishRun, type RunEnd } from './settle.ts'
import { findTool, TOOLS } from './tools/index.ts'
import type { Tool } from './tools/tool.ts'

/** Turns of the model; each may call tools. */
const MAX_STEPS = 8
const MAX_RUN_MS = 5 * 60_000
const MAX_OUTPUT = 200_000
const MAX_CALLS_PER_TURN = 10
/** Characters of a tool's result that the model and readers get. */
const MAX_RESULT = 16_000

export interface RunStart {
  runId: string
  sessionId: string
  who: Principal
  message: string
  /** What was said before it, oldest first. */
  past: AgentMessage[]
  /** What the session waited for, and whether the user said yes to it. */
  confirmation: (ToolCall & { confirmed: boolean }) | undefined
  firstSeq: number
  language: Language
  timezone: string
}

/** One answer in the making. It goes on whoever listens, until it ends, fails or is stopped. */
export class Run {
  private readonly writer: RunWriter
  private readonly stopping = new AbortController()

  constructor(
    private readonly ctx: Core,
    private readonly model: ChatModel,
    log: FrameLog,
    private readonly start: RunStart,
    gatherMs: () => number,
  ) {
    this.writer = new RunWriter(log, start, start.firstSeq, gatherMs, (error) => this.stopping.abort(error))
  }

  get id(): string {
    return this.start.runId
  }

  cancel(): void {
    this.stopping.abort(new RunCancelled())
  }

  /** The server stops. */
  stop(): void {
    this.stopping.abort(new RunError('SERVER_STOPPED'))
  }

  /** Resolves when the run has ended, however it did. */
  async execute(): Promise<void> {
    const { runId, sessionId } = this.start
    const late = setTimeout(() => this.stopping.abort(new RunError('MODEL_TIMEOUT')), MAX_RUN_MS)
    try {
      this.writer.event({ type: EventType.RUN_STARTED, threadId: sessionId, runId })
      const question = await this.answer()
      await this.finish({
        status: 'completed',
        event: {
          type: EventType.RUN_FINISHED,
          ...{ threadId: sessionId, runId },
          outcome: question
            ? {
                type: 'interrupt',
                interrupts: [
                  {
                    id: question.call.id,
                    reason: 'confirmation',
                    message: question.text,
                    toolCallId: question.call.id,
                  },
                ],
              }
            : { type: 'success' },
        },
        confirmation: question?.call,
      })
    } catch (error) {
      const reason = this.stopping.signal.aborted ? this.stopping.signal.reason : error
      // What the run has lost its place to has ended it already, or will.
      await this.fail(reason).catch((left) => {
        this.ctx.log.warn({ err: left, run: runId }, 'a run could not be ended; the sweep will')
      })
    } finally {
      clearTimeout(late)
    }
  }

  private async fail(reason: unknown): Promise<void> {
    if (reason instanceof RunLost) return
    const { runId, sessionId, language } = this.start
    if (reason instanceof RunCancelled) {
      return this.finish({
        status: 'cancelled',
        event: {
          type: EventType.RUN_FINISHED,
          ...{ threadId: sessionId, runId },
          outcome: { type: 'cancelled' },
        },
      })
    }
    const code = faultOf(reason)
    const cause = code === 'INTERNAL' ? reason : (reason as Error).cause
    if (cause) this.ctx.log.warn({ err: cause, run: runId, code }, 'a run of the agent failed')
    await this.finish({
      status: 'failed',
      error: code,
      event: { type: EventType.RUN_ERROR, message: message(faultText(code), language), code },
    })
  }

  private async finish({ event, ...end }: Omit<RunEnd, 'frames' | 'transcript'> & { event: AgentEvent }) {
    const frames = this.writer.close([event])
    await this.writer.stored()
    await finishRun(this.ctx, this.start, { ...end, frames, transcript: this.writer.transcript })
  }

  /** @returns the question that the run ends with, when a tool needs the user's word */
  private async answer(): Promise<{ call: ToolCall; text: string } | undefined> {
    const messages = await this.history()
    for (let step = 0; step < MAX_STEPS; step++) {
      const { content, toolCalls } = await this.turn(messages)
      if (toolCalls.length === 0) return undefined
      messages.push({ role: 'assistant', content, toolCalls })
      let asks: { call: ToolCall; text: string } | undefined
      for (const call of toolCalls) {
        const tool = findTool(call.name)
        if (tool?.question && !tool.problem(call.input)) {
          const question = asks ? undefined : await this.attempt(() => this.question(tool, call))
          if (question && 'text' in question) {
            asks = question
            continue
          }
          messages.push(this.result(call, question ?? { error: 'One question at a time. Ask again later.' }))
          continue
        }
        messages.push(this.result(call, await this.use(tool, call)))
      }
      if (asks) {
        const text = `${asks.text} ${message('confirm_how', this.start.language)}`
        await this.writer.text(Bun.randomUUIDv7(), text)
        return { call: asks.call, text: asks.text }
      }
    }
    throw new RunError('STEP_LIMIT')
  }

  private async history(): Promise<ChatMessage[]> {
    const { past, confirmation, message } = this.start
    const said: ChatMessage = { role: 'user', content: message }
    if (!confirmation) return [...historyOf(past), said]
    const result = confirmation.confirmed
      ? await this.use(findTool(confirmation.name), confirmation)
      : { declined: 'The user did not confirm. Nothing was done.' }
    const { content } = this.result(confirmation, result)
    // The question, which comes last, was ours and not the model's; a yes is told by the result.
    const history = historyOf(past.slice(0, -1), { toolCallId: confirmation.id, content })
    return confirmation.confirmed ? history : [...history, said]
  }

  /** One turn of the model, said as it comes. */
  private async turn(messages: ChatMessage[]): Promise<{ content: string; toolCalls: ToolCall[] }> {
    const { signal } = this.stopping
    const { language, timezone } = this.start
    const messageId = Bun.randomUUIDv7()
    const toolCalls: ToolCall[] = []
    const text = new StorableText()
    let content = ''
    let length = 0
    const say = async (delta: string) => {
      if (delta === '') return
      content += delta
      await this.writer.text(messageId, delta)
    }
    const count = (more: number) => {
      length += more
      if (length > MAX_OUTPUT) throw new RunError('OUTPUT_LIMIT')
    }
    const turn = { messages, tools: [...TOOLS], language, timezone, now: new Date(), signal }
    for await (const part of this.model.turn(turn)) {
      signal.throwIfAborted()
      if (part.type === 'text') {
        count(part.delta.length)
        await say(text.push(part.delta))
      } else if (toolCalls.length < MAX_CALLS_PER_TURN) {
        const { name, input } = storable(part)
        const id = newCallId()
        count(name.length + JSON.stringify(input).length)
        toolCalls.push({ id, name, input })
        this.announce(messageId, { id, name, input })
      }
    }
    await say(text.end())
    signal.throwIfAborted()
    return { content, toolCalls }
  }

  private announce(parentMessageId: string, { id, name, input }: ToolCall): void {
    const effect = findTool(name)?.effect
    this.writer.event({
      type: EventType.TOOL_CALL_START,
      ...{ toolCallId: id, toolCallName: name, parentMessageId },
      // So that a client can show what changes something before it happens.
      ...(effect && effect !== 'read' && { metadata: { effect } }),
    })
    this.writer.event({ type: EventType.TOOL_CALL_ARGS, toolCallId: id, delta: JSON.stringify(input) })
    this.writer.event({ type: EventType.TOOL_CALL_END, toolCallId: id })
  }

  private async use(tool: Tool | undefined, { name, input }: ToolCall): Promise<unknown> {
    if (!tool) return { error: `There is no tool ${name}.` }
    const problem = tool.problem(input)
    if (problem) return { error: `The input does not fit: ${problem}` }
    // Announced before it happens, also when the server is killed in between.
    await this.writer.stored()
    return this.attempt(async () => tool.run(this.ctx, await this.user(), input))
  }

  private async question(tool: Tool, call: ToolCall): Promise<{ call: ToolCall; text: string }> {
    const text = await tool.question!(this.ctx, await this.user(), call.input, this.start.language)
    return { call, text }
  }

  /** The user as they are now: their session may have ended since the run began. */
  private async user(): Promise<Principal> {
    const session = await this.ctx.principals.load(this.start.who.sessionId)
    if (session.status !== 'active') throw new RunError('SESSION_ENDED')
    return session.principal
  }

  /** What core refuses is an answer for the model, not the end of the run. */
  private async attempt<T>(run: () => Promise<T>): Promise<T | { error: string }> {
    try {
      return await run()
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      const { language } = this.start
      const issues = error.issues.map(
        ({ field, rule, params }) => `${field}: ${message(`issue.${rule}`, language, params)}`,
      )
      return { error: [message(error.code, language, error.params), ...issues].join('; ') }
    }
  }

  private result({ id, name }: ToolCall, value: unknown): ChatMessage {
    const whole = JSON.stringify(value) ?? 'null'
    const content = cutText(whole, MAX_RESULT, '…')
    this.writer.event({
      type: EventType.TOOL_CALL_RESULT,
      ...{ messageId: Bun.randomUUIDv7(), toolCallId: id, content, role: 'tool' },
      // The call may stand in an earlier run.
      metadata: { toolCallName: name },
    })
    return { role: 'tool', toolCallId: id, toolName: name, content }
  }
}

/**
 * Not the model's own: some count their calls anew in every answer, and a session is told by these which result
 * belongs to which call. Some take no longer ones.
 */
const newCallId = () => crypto.randomUUID().replaceAll('-', '').slice(0, 9)
