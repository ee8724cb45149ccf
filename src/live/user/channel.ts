import type { LoggedEvent } from '../../core/channel/log.ts'
import type { Language } from '../../core/messages.ts'
import { formatCursor } from '../../protocol/live/cursor.ts'
import { isWorded, wordedData } from '../events/wording.ts'
import type { Connection } from './connection.ts'
import type { ChannelReader } from './reader.ts'

/** How many of the newest events a channel keeps while one of its sockets has not been sent them. */
const TAIL_FRAMES = 64

/** One user's channel on this server: its head, its tail (the newest events) and the sockets that read it: `outbox.ts`. */
export class LiveChannel {
  readonly connections = new Set<Connection>()
  /** HTTP requests that wait for events. */
  readonly readers = new Set<ChannelReader>()
  /** Sockets over the limit, until it is known whether all others still answer. */
  readonly waiting = new Set<Connection>()
  /** The search for sockets that do not answer, while it runs. */
  probe: Promise<Connection[]> | undefined
  /** The newest known sequence number; undefined until it was read from the log. */
  head: number | undefined
  /** The newest sequence number of the hints that came while the head was being read. */
  private hinted = 0
  private tail: TailEvent[] = []

  constructor(
    readonly userId: number,
    private readonly epoch: string,
  ) {}

  get isIdle(): boolean {
    return this.connections.size === 0 && this.waiting.size === 0 && this.readers.size === 0
  }

  /** Takes the head that was read from the log. Hints may have told a newer one meanwhile. */
  begin(head: number): void {
    if (this.head === undefined) this.head = Math.max(head, this.hinted)
    else this.advance(head)
  }

  /** Takes an event from a hint. Hints of other servers may come twice, late or never. */
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

  /** The log has grown to `seq` by events for which this server got no hint. */
  advance(seq: number): void {
    if (this.head === undefined || seq <= this.head) return
    this.head = seq
    this.tail = []
  }

  /** Wakes all readers of this channel. Drops the tail when no socket is behind, because tails cost memory. */
  pump(): void {
    for (const reader of this.readers) reader.wake()
    let behind = false
    for (const connection of this.connections) {
      connection.pump()
      if (connection.outbox?.sent !== this.head) behind = true
    }
    if (!behind && this.tail.length > 0) this.tail = []
  }

  /** Whether the tail holds the event with this number. */
  has(seq: number): boolean {
    return this.tailEvent(seq) !== undefined
  }

  /** The frame of an event in the tail, in the reader's language. It is made once for all sockets. */
  frame(seq: number, language: Language = 'en'): string | undefined {
    const kept = this.tailEvent(seq)
    if (!kept) return undefined
    const { event, frames } = kept
    const shared = isWorded(event.type) ? language : 'en'
    frames[shared] ??= eventFrame(this.epoch, event, shared)
    return frames[shared]
  }

  /** When an event of the tail was appended. */
  timeOf(seq: number): Date {
    const kept = this.tailEvent(seq)!
    kept.at ??= new Date(kept.event.at)
    return kept.at
  }

  private tailEvent(seq: number): TailEvent | undefined {
    return this.tail[this.tail.length - 1 - (this.head! - seq)]
  }
}

interface TailEvent {
  event: LoggedEvent
  /** The event's time, when somebody has asked for it. */
  at?: Date
  frames: Partial<Record<Language, string>>
}

/** The text in the log goes out as it is. Only events with a text in the reader's language are parsed and written again. */
export const eventFrame = (epoch: string, event: LoggedEvent, language: Language = 'en'): string =>
  `{"type":"${event.type}","cursor":"${formatCursor(epoch, event.seq)}","at":"${event.at}","data":${wordedData(event, language)}}`
