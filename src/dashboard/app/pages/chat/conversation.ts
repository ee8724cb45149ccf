import { computed, signal } from '@preact/signals'
import { type AgentEventFrame, dataOf, RoostError, type Stop } from '../../../../client/index.ts'
import { api, live } from '../../lib/session.ts'
import { ask } from './ask.ts'
import { afterFrame, asksForConsent, merged, newTurn, type Turn, turnsOf } from './turns.ts'

/** Frames that come within this time are shown together: after a return there may be thousands. */
const GATHER_MS = 30

/**
 * A conversation as the page shows it. The server's stored messages come first; then every frame after them, over the live channel.
 * So nothing is lost or doubled, whenever the page comes and however often the connection is cut.
 */
export class Conversation {
  readonly turns = signal<Turn[]>([])
  readonly error = signal<unknown>(undefined)
  readonly isLoaded = signal(false)
  /** A question that is on its way to the server. */
  readonly sending = signal<string | undefined>(undefined)

  readonly isRunning = computed(() => this.turns.value.at(-1)?.status === 'running')
  readonly asksForConsent = computed(() => asksForConsent(this.turns.value))

  /** The number of the last frame that is shown. */
  private seq = 0
  private waiting: AgentEventFrame[] = []
  private timer: ReturnType<typeof setTimeout> | undefined
  private view: (Stop & { reload(): Promise<void> }) | undefined
  private stopWatch: Stop | undefined

  /** @param begun the first question, when the page itself has begun the conversation */
  constructor(
    readonly id: string,
    begun?: { runId: string; question: string },
  ) {
    if (begun) this.turns.value = [newTurn(begun.runId, begun.question)]
    this.isLoaded.value = begun !== undefined
  }

  /** Loads the conversation and follows it. @returns what ends that */
  open(): Stop {
    const view = live().view({
      load: (signal) => this.load(signal),
      onError: (error) => {
        this.error.value = error
      },
    })
    this.view = view
    return () => {
      view()
      this.stopWatch?.()
      this.stopWatch = undefined
      clearTimeout(this.timer)
      this.timer = undefined
      this.waiting = []
    }
  }

  reload = async (): Promise<void> => this.view?.reload()

  /** @throws RoostError RUN_IN_PROGRESS when an answer is being made, such as to a question in another tab */
  async send(text: string): Promise<void> {
    this.sending.value = text
    try {
      const { runId } = await ask(text, this.id)
      this.asked(runId, text)
    } catch (error) {
      // The server may have the question although its answer was lost, or it may be answering another one.
      if (error instanceof RoostError && (error.status === 0 || error.status === 409)) void this.reload()
      throw error
    } finally {
      this.sending.value = undefined
    }
  }

  async stop(): Promise<void> {
    await dataOf(api().runtime['agent-chats']({ session_id: this.id }).cancel.post())
  }

  private async load(signal: AbortSignal): Promise<void> {
    const kept = await dataOf(api().runtime['agent-chats']({ session_id: this.id }).get({ signal }))
    this.turns.value = merged(turnsOf(kept), this.turns.peek())
    this.isLoaded.value = true
    this.error.value = undefined
    this.stopWatch ??= live().watch(`agent:${this.id}`, (frame) => this.gather(frame), {
      agentSeq: Math.max(kept.seq, this.seq),
      onError: ({ code, message }) => {
        // Another try watches anew.
        this.stopWatch = undefined
        this.error.value = new RoostError(0, code, message)
      },
    })
  }

  private gather(frame: AgentEventFrame): void {
    this.waiting.push(frame)
    this.timer ??= setTimeout(() => this.show(), GATHER_MS)
  }

  private show(): void {
    this.timer = undefined
    const frames = this.waiting
    this.waiting = []
    let turns = this.turns.peek()
    for (const frame of frames) turns = afterFrame(turns, frame)
    this.turns.value = turns
    this.seq = frames.at(-1)!.seq
    const last = turns.at(-1)!
    if (last.question !== undefined) return
    if (this.sending.peek() !== undefined) this.asked(last.runId, this.sending.peek()!)
    else void this.reload()
  }

  private asked(runId: string, question: string): void {
    const turns = this.turns.peek()
    const at = turns.findIndex((turn) => turn.runId === runId)
    this.turns.value =
      at < 0 ? [...turns, newTurn(runId, question)] : turns.with(at, { ...turns[at]!, question })
    this.sending.value = undefined
  }
}
