import { type AgentEvent, type AgentFrame, EventType } from './ag-ui.ts'
import type { FrameLog } from './frame-log.ts'
import { Transcript } from './transcript.ts'

const MAX_GATHERED = 4096
/** When more frames than this wait to be stored, the run stops reading from the model. */
const MAX_WAITING = 20

/** Turns what a run says into numbered frames. The first piece of a message is sent at once, further ones are gathered. */
export class RunWriter {
  readonly transcript = new Transcript()
  private gathered = ''
  private timer: ReturnType<typeof setTimeout> | undefined
  private begun = false
  private waiting = 0
  private newest: Promise<void> = Promise.resolve()
  /** The error of the first frame that could not be stored. After it the run must end. */
  private fault: unknown
  /** Frames that the caller of `close` stores. */
  private readonly left: AgentFrame[] = []

  constructor(
    private readonly log: FrameLog,
    private readonly run: { sessionId: string; runId: string },
    private seq: number,
    /** How long text is gathered for one frame, in ms. */
    private readonly gatherMs: () => number,
    private readonly onFault: (error: unknown) => void,
  ) {}

  /** Adds to the open message, or opens one. Resolves when the next piece may follow. */
  async say(kind: 'text' | 'reasoning', messageId: string, delta: string): Promise<void> {
    if (this.transcript.open?.messageId !== messageId) {
      this.endMessage()
      this.begin(kind, messageId)
      this.begun = false
    }
    this.gathered += delta
    if (!this.begun || this.gathered.length >= MAX_GATHERED) this.flush()
    else this.timer ??= setTimeout(() => this.flush(), this.gatherMs())
    this.begun = true
    if (this.waiting > MAX_WAITING) await this.stored()
  }

  /** Adds any other event, after the text that was said before it. */
  event(event: AgentEvent): void {
    this.endMessage()
    this.append(event)
  }

  /** Resolves when all frames so far are stored. Rejects when one cannot be stored. */
  async stored(): Promise<void> {
    await this.newest
    if (this.fault) throw this.fault
  }

  /**
   * The frames that the caller stores together with the end of the run, after `stored` has resolved: those that no
   * statement carries yet, and `last`. No event may follow, but another `close` may, when the end could not be stored.
   */
  close(last: AgentEvent): AgentFrame[] {
    this.endMessage()
    this.left.push(...this.log.takeBack(this.run.runId))
    return [...this.left, frameOf(this.seq, this.run.runId, last)]
  }

  private begin(kind: 'text' | 'reasoning', messageId: string): void {
    if (kind === 'text') {
      this.append({ type: EventType.TEXT_MESSAGE_START, messageId, role: 'assistant' })
    } else {
      this.append({ type: EventType.REASONING_START, messageId })
      this.append({ type: EventType.REASONING_MESSAGE_START, messageId, role: 'reasoning' })
    }
  }

  private endMessage(): void {
    this.flush()
    for (const event of this.transcript.closing) this.append(event)
  }

  private flush(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    const delta = this.gathered
    this.gathered = ''
    const { open } = this.transcript
    if (delta === '' || !open) return
    const { kind, messageId } = open
    const type = kind === 'text' ? EventType.TEXT_MESSAGE_CONTENT : EventType.REASONING_MESSAGE_CONTENT
    this.append({ type, messageId, delta })
  }

  private append(event: AgentEvent): void {
    this.waiting++
    const stored = this.log.append(this.run.sessionId, this.frame(event)).then(
      () => void this.waiting--,
      (error) => {
        this.waiting--
        if (this.fault) return
        this.fault = error
        this.onFault(error)
      },
    )
    this.newest = Promise.all([this.newest, stored]).then(() => {})
  }

  private frame(event: AgentEvent): AgentFrame {
    this.transcript.apply(event)
    return frameOf(this.seq++, this.run.runId, event)
  }
}

const frameOf = (seq: number, runId: string, event: AgentEvent): AgentFrame => ({
  seq,
  runId,
  event: JSON.stringify(event),
})
