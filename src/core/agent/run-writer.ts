import { type AgentEvent, EventType, type Frame } from './events.ts'
import type { FrameLog } from './frame-log.ts'
import { Transcript } from './transcript.ts'

const MAX_GATHERED = 4096
/** Frames that wait for the log before the model is read on. */
const MAX_WAITING = 20

/** Turns what a run says into numbered frames: the first text of a message at once, then what has come together. */
export class RunWriter {
  readonly transcript = new Transcript()
  private gathered = ''
  private timer: ReturnType<typeof setTimeout> | undefined
  private begun = false
  private waiting = 0
  private newest: Promise<void> = Promise.resolve()
  /** The first frame that could not be stored: the run has no place any more. */
  private fault: unknown

  constructor(
    private readonly log: FrameLog,
    private readonly run: { sessionId: string; runId: string },
    private seq: number,
    /** How long text is gathered for one frame, in ms. */
    private readonly gatherMs: () => number,
    private readonly onFault: (error: unknown) => void,
  ) {}

  /** Adds to the text message that is open, or opens one. Resolves when the next text may come. */
  async text(messageId: string, delta: string): Promise<void> {
    if (this.transcript.open !== messageId) {
      this.endText()
      this.append({ type: EventType.TEXT_MESSAGE_START, messageId, role: 'assistant' })
      this.begun = false
    }
    this.gathered += delta
    if (!this.begun || this.gathered.length >= MAX_GATHERED) this.flush()
    else this.timer ??= setTimeout(() => this.flush(), this.gatherMs())
    this.begun = true
    if (this.waiting > MAX_WAITING) await this.stored()
  }

  endText(): void {
    this.flush()
    const messageId = this.transcript.open
    if (messageId !== undefined) this.append({ type: EventType.TEXT_MESSAGE_END, messageId })
  }

  /** Any other event; what was said before it goes out first. */
  event(event: AgentEvent): void {
    this.endText()
    this.append(event)
  }

  /** Resolves when everything so far is stored. Rejects when something can't be. */
  async stored(): Promise<void> {
    await this.newest
    if (this.fault) throw this.fault
  }

  /** The last events, numbered on, for whoever stores them with the end of the run. Nothing may follow them. */
  close(last: AgentEvent[]): Frame[] {
    this.endText()
    return last.map((event) => this.frame(event))
  }

  private flush(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    const delta = this.gathered
    this.gathered = ''
    const messageId = this.transcript.open
    if (delta !== '' && messageId !== undefined) {
      this.append({ type: EventType.TEXT_MESSAGE_CONTENT, messageId, delta })
    }
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

  private frame(event: AgentEvent): Frame {
    this.transcript.apply(event)
    return { seq: this.seq++, runId: this.run.runId, event: JSON.stringify(event) }
  }
}
