import type { ChatMessage, ChatModel, ToolCall } from '../../model/model.ts'
import { cutText } from '../../util/cut.ts'
import type { JsonObject } from '../../util/json.ts'
import { storable } from '../../util/storable.ts'
import { userOfSession } from '../accounts/access-tokens.ts'
import type { Actor } from '../accounts/principals.ts'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import { message, sentences } from '../messages.ts'
import { type AgentEvent, EventType } from './ag-ui.ts'
import { confirmationInterrupt } from './consent.ts'
import { faultOf, faultText, RunCancelled, RunError } from './faults.ts'
import { type FrameLog, RunLost } from './frame-log.ts'
import { historyOf, newCallId } from './history.ts'
import { finishRun, type RunEnd } from './run-end.ts'
import type { RunStart } from './run-start.ts'
import { RunWriter } from './run-writer.ts'
import { findTool, TOOLS } from './tools/index.ts'
import { toolErrorText } from './tools/tool.ts'
import { TurnWriter } from './turn-writer.ts'

/** Turns of the model in one run; each may call tools. */
export const MAX_STEPS = 8
export const MAX_RUN_MS = 5 * 60_000
const MAX_OUTPUT = 200_000
/** Calls of one turn that are carried out. The model is told that the others were not. */
const MAX_CALLS_PER_TURN = 10
const MAX_REFUSED_CALLS = 90
/** Characters of a tool's result that the model and the clients get. */
const MAX_RESULT = 16_000

/** One answer in progress. It goes on whether or not a client reads it, until it ends, fails or is stopped. */
export class Run {
  private readonly writer: RunWriter
  private readonly stopping = new AbortController()

  constructor(
    private readonly ctx: Context,
    private readonly model: ChatModel,
    log: FrameLog,
    private readonly start: RunStart,
    gatherMs: () => number,
  ) {
    const next = start.firstSeq + start.frames.length
    this.writer = new RunWriter(log, start, next, gatherMs, (error) => this.stopping.abort(error))
  }

  get id(): string {
    return this.start.runId
  }

  cancel(): void {
    this.stopping.abort(new RunCancelled())
  }

  /** Ends the run because the server stops. */
  stop(): void {
    this.stopping.abort(new RunError('SERVER_STOPPED'))
  }

  /** Resolves when the run has ended, also when it failed. */
  async execute(): Promise<void> {
    const { runId, sessionId } = this.start
    const late = setTimeout(() => this.stopping.abort(new RunError('MODEL_TIMEOUT')), MAX_RUN_MS)
    try {
      const question = await this.answer()
      await this.finish({
        status: 'completed',
        event: {
          type: EventType.RUN_FINISHED,
          threadId: sessionId,
          runId,
          outcome: question
            ? {
                type: 'interrupt',
                interrupts: [confirmationInterrupt(question.call.id, question.question)],
              }
            : { type: 'success' },
        },
        confirmation: question?.call,
      })
    } catch (error) {
      const reason = this.stopping.signal.aborted ? this.stopping.signal.reason : error
      await this.fail(reason).catch((error) => {
        this.ctx.log.warn({ err: error, run: runId }, 'a run could not be ended; the sweep ends it later')
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
          threadId: sessionId,
          runId,
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
    const frames = this.writer.close(event)
    await this.writer.stored()
    await finishRun(this.ctx, this.start, { ...end, frames, transcript: this.writer.transcript })
  }

  /** @returns the question with which the run ends, when a tool needs the user's confirmation */
  private async answer(): Promise<Question | undefined> {
    const messages = await this.history()
    for (let step = 0; step < MAX_STEPS; step++) {
      const { content, calls } = await this.turn(messages)
      if (calls.length === 0) return undefined
      messages.push({ role: 'assistant', content, toolCalls: calls.map(({ call }) => call) })
      let asks: Question | undefined
      for (const { call, problem } of calls) {
        const result = problem === undefined ? await this.use(call, !asks) : { error: problem }
        if (isQuestion(result)) asks = result
        else messages.push(this.result(call, result))
      }
      if (asks) {
        const { language } = this.start
        const text = sentences(language, asks.question, message('confirm_how', language))
        await this.writer.say('text', Bun.randomUUIDv7(), text)
        return asks
      }
    }
    throw new RunError('STEP_LIMIT')
  }

  private async history(): Promise<ChatMessage[]> {
    const { past, confirmation, message } = this.start
    const userMessage: ChatMessage = { role: 'user', content: message }
    if (!confirmation) return [...historyOf(past), userMessage]
    const result = confirmation.confirmed
      ? await this.carryOut(confirmation)
      : { declined: 'The user did not confirm. Nothing was done.' }
    const { content } = this.result(confirmation, result)
    // The last message is the server's question, which the model did not write, so it is left out. The call's result
    // already tells the model of a yes.
    const history = historyOf(past.slice(0, -1), { toolCallId: confirmation.id, content })
    return confirmation.confirmed && confirmation.isWhole ? history : [...history, userMessage]
  }

  /** Runs one turn of the model and writes its text as it arrives. */
  private async turn(messages: ChatMessage[]): Promise<{ content: string; calls: Announced[] }> {
    const { signal } = this.stopping
    const { language, timezone, background } = this.start
    const calls: Announced[] = []
    const writer = new TurnWriter(this.writer)
    let length = 0
    const count = (more: number) => {
      length += more
      if (length > MAX_OUTPUT) throw new RunError('OUTPUT_LIMIT')
    }
    const turn = { messages, tools: [...TOOLS], language, timezone, background, now: new Date(), signal }
    for await (const part of this.model.turn(turn)) {
      signal.throwIfAborted()
      if (part.type !== 'tool_call') {
        count(part.delta.length)
        await writer.add(part.type, part.delta)
        continue
      }
      const { name, input, problem } = storable(part)
      const call = { id: newCallId(), name, input }
      count(name.length + JSON.stringify(input).length)
      if (calls.length === MAX_CALLS_PER_TURN + MAX_REFUSED_CALLS) throw new RunError('OUTPUT_LIMIT')
      calls.push({ call, problem: calls.length < MAX_CALLS_PER_TURN ? problem : TOO_MANY_CALLS })
      await writer.end()
      this.announce(writer.messageId, call)
    }
    await writer.end()
    signal.throwIfAborted()
    return { content: writer.content, calls }
  }

  private announce(parentMessageId: string, { id, name, input }: ToolCall): void {
    const effect = findTool(name)?.effect
    this.writer.event({
      type: EventType.TOOL_CALL_START,
      toolCallId: id,
      toolCallName: name,
      parentMessageId,
      // So that a client can warn the user before a tool changes something.
      ...(effect && effect !== 'read' && { metadata: { effect } }),
    })
    this.writer.event({ type: EventType.TOOL_CALL_ARGS, toolCallId: id, delta: JSON.stringify(input) })
    this.writer.event({ type: EventType.TOOL_CALL_END, toolCallId: id })
  }

  /** Carries a call out, or returns the question to the user before it. @param mayAsk whether no other question is open */
  private async use(call: ToolCall, mayAsk: boolean): Promise<unknown> {
    const tool = findTool(call.name)
    const read = tool?.read(call.input)
    if (!tool?.question || !read || 'problem' in read) return this.carryOut(call)
    if (!mayAsk) return { error: 'One question at a time. Ask again later.' }
    return this.attempt(async () => {
      const question = await tool.question!(this.ctx, await this.user(), read.input, this.start.language)
      return { call, question } satisfies Question
    })
  }

  private async carryOut({ name, input }: { name: string; input: JsonObject }): Promise<unknown> {
    const tool = findTool(name)
    if (!tool) return { error: `There is no tool ${name}.` }
    const read = tool.read(input)
    if ('problem' in read) return { error: `The input does not fit: ${read.problem}` }
    // The frames that announce the call are stored first, so that they are there when the server is killed meanwhile.
    await this.writer.stored()
    return this.attempt(async () => tool.run(this.ctx, await this.user(), read.input, this.start.language))
  }

  /**
   * The user with the current permissions: the session may have ended since the run began. What a tool changes is recorded with
   * the request that began the run.
   */
  private async user(): Promise<Actor> {
    const { sessionId, client } = this.start.who
    const user = await userOfSession(this.ctx, sessionId)
    if (!user) throw new RunError('SESSION_ENDED')
    return { ...user, client }
  }

  /** An AppError becomes an answer for the model and does not end the run. */
  private async attempt<T>(run: () => Promise<T>): Promise<T | { error: string }> {
    try {
      return await run()
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      return { error: toolErrorText(error, this.start.language) }
    }
  }

  private result({ id, name }: ToolCall, value: unknown): ChatMessage {
    const whole = JSON.stringify(value) ?? 'null'
    const content = cutText(whole, MAX_RESULT, '…')
    this.writer.event({
      type: EventType.TOOL_CALL_RESULT,
      messageId: Bun.randomUUIDv7(),
      toolCallId: id,
      content,
      role: 'tool',
      // The client may not know the call, because it may be of an earlier run.
      metadata: { toolCallName: name },
    })
    return { role: 'tool', toolCallId: id, toolName: name, content }
  }
}

/** A call, with the reason why it cannot be carried out, if there is one. */
interface Announced {
  call: ToolCall
  problem: string | undefined
}

const TOO_MANY_CALLS = `Only ${MAX_CALLS_PER_TURN} calls are carried out at once, so nothing was done. Call again.`

interface Question {
  call: ToolCall
  question: string
}

const isQuestion = (result: unknown): result is Question =>
  typeof result === 'object' && result !== null && 'question' in result && 'call' in result
