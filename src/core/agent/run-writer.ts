import { type AgentEvent, EventType, type Frame } from './ag-ui.ts'
import type { FrameLog } from './frame-log.ts'
import { Transcript } from './transcript.ts'

const MAX_GATHERED = 4096
/** Frames that wait for the log before the model is read on. */
const MAX_WAITING = 20

/** Turns what a run says into numbered frames: the first piece of a message at once, then what has come together. */
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

  /** Adds to the message that is open, or opens one. Resolves when the next piece may come. */
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

  /** Any other event; what was said before it goes out first. */
  event(event: AgentEvent): void {
    this.endMessage()
    this.append(event)
  }

  /** Resolves when everything so far is stored. Rejects when something can't be. */
  async stored(): Promise<void> {
    await this.newest
    if (this.fault) throw this.fault
  }

  /** The last events, numbered on, for whoever stores them with the end of the run. Nothing may follow them. */
  close(last: AgentEvent[]): Frame[] {
    this.endMessage()
    return last.map((event) => this.frame(event))
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

  private frame(event: AgentEvent): Frame {
    this.transcript.apply(event)
    return { seq: this.seq++, runId: this.run.runId, event: JSON.stringify(event) }
  }
}
