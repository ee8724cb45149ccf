import type { LoggedEvent } from '../../core/channel/log.ts'
import type { Language } from '../../core/messages.ts'
import { formatCursor } from '../cursor.ts'
import { isWorded, wordedData } from '../events/wording.ts'
import type { Connection } from './connection.ts'
import type { ChannelReader } from './reader.ts'

/** How many of the newest frames of a channel are kept while one of its sockets has not had them. */
const TAIL_FRAMES = 64

/**
 * One user's channel on this server: its head, the newest frames, and the sockets that read it. Sequence numbers
 * have no gaps, so a socket at n may be served n+1 from the tail, and anything else from the log.
 */
export class LiveChannel {
  readonly connections = new Set<Connection>()
  /** Requests that wait for events. */
  readonly readers = new Set<ChannelReader>()
  /** Sockets over the limit, until it is known whether all of the others still answer. */
  readonly waiting = new Set<Connection>()
  /** The look for sockets that do not answer, while it is under way. */
  probe: Promise<Connection[]> | undefined
  /** Newest known sequence number; undefined until it was read from the log. */
  head: number | undefined
  /** What hints named while the head was being read. */
  private hinted = 0
  private tail: TailEvent[] = []

  constructor(
    readonly userId: number,
    private readonly epoch: string,
  ) {}

  get isIdle(): boolean {
    return this.connections.size === 0 && this.waiting.size === 0 && this.readers.size === 0
  }

  /** The head as the log says it; hints may already know better. */
  begin(head: number): void {
    if (this.head === undefined) this.head = Math.max(head, this.hinted)
    else this.advance(head)
  }

  /** Takes a hinted event in. Hints of other servers may come twice, late, or not at all. */
  offer(event: LoggedEvent): void {
    if (this.head === undefined) {
      this.hinted = Math.max(this.hinted, event.seq)
    } else if (event.seq === this.head + 1) {
      this.head = event.seq
      this.tail.push({ event, frames: {} })
      if (this.tail.length > TAIL_FRAMES) this.tail.shift()
    } else if (event.seq > this.head) {
      this.advance(event.seq)
    }
  }

  /** The log has grown to `seq` by events that this server has not been told. */
  advance(seq: number): void {
    if (this.head === undefined || seq <= this.head) return
    this.head = seq
    this.tail = []
  }

  /** Every socket here has had everything; who comes later reads the log. Tails of all users would be most of the memory. */
  forgetTail(): void {
    if (this.tail.length > 0) this.tail = []
  }

  /** Whether the event of `seq` is among the newest. */
  has(seq: number): boolean {
    return this.tailEvent(seq) !== undefined
  }

  /** The frame of `seq` in a reader's language, when it is among the newest. Made once for all sockets. */
  frame(seq: number, language: Language = 'en'): string | undefined {
    const kept = this.tailEvent(seq)
    if (!kept) return undefined
    const { event, frames } = kept
    const shared = isWorded(event.type) ? language : 'en'
    frames[shared] ??= eventFrame(this.epoch, event, shared)
    return frames[shared]
  }

  private tailEvent(seq: number): TailEvent | undefined {
    return this.tail[this.tail.length - 1 - (this.head! - seq)]
  }
}

interface TailEvent {
  event: LoggedEvent
  frames: Partial<Record<Language, string>>
}

/** The log's text goes out as it is: nothing is parsed or written again, but for events that have words. */
export const eventFrame = (epoch: string, event: LoggedEvent, language: Language = 'en'): string =>
  `{"type":"${event.type}","cursor":"${formatCursor(epoch, event.seq)}","at":"${event.at}","data":${wordedData(event, language)}}`
