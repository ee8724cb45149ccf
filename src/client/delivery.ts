import { type Position, readCursor } from '../protocol/live/cursor.ts'
import type { ResyncReason } from '../protocol/live/server-frames.ts'
import type { AnyLiveEvent } from './live-client.ts'

/** Events that wait for slow handlers. */
const MOST = 1000

export type Item = { cursor: string; event: AnyLiveEvent } | { cursor: string; resync: ResyncReason }

/** Whom a delivery tells. */
export interface Receiver {
  /** An event or a break was received, and waits for the handlers. */
  received(item: Item): void
  event(event: AnyLiveEvent): Promise<void>
  resync(reason: ResyncReason): void
  /** Every handler has run up to the cursor. */
  advanced(): void
}

/**
 * Brings the events of a channel to the handlers: in order, each once. Connections may repeat and lose events: their numbers
 * have no gaps, so that both show.
 */
export class Delivery {
  /** The position up to which every handler has run. */
  cursor: string | undefined
  /** Where a new connection goes on. */
  received: string | undefined
  private at: Position | undefined
  private readonly queue: Item[] = []
  private running = false
  private stopped = false
  private waiting: (() => void)[] = []

  constructor(private readonly to: Receiver) {}

  /** The handlers lag: the connection has to stop reading. */
  get isFull(): boolean {
    return this.queue.length >= MOST
  }

  /** Resolves when the handlers have caught up to some degree. */
  async room(): Promise<void> {
    if (this.queue.length > MOST / 2) await new Promise<void>((resolve) => this.waiting.push(resolve))
  }

  /** The first position. */
  begin(cursor: string): void {
    this.move(cursor)
    this.cursor = cursor
  }

  /** @returns `lost` when events before this one are missing; then it was not taken */
  take(event: AnyLiveEvent): 'taken' | 'known' | 'lost' {
    const { cursor } = event
    if (this.has(cursor)) return 'known'
    const next = readCursor(cursor)
    if (!next || next.epoch !== this.at?.epoch || next.seq !== this.at.seq + 1) return 'lost'
    this.move(cursor)
    this.enqueue({ cursor, event })
    return 'taken'
  }

  /** The server cannot send the events before the cursor. One that was told already is not told again. */
  resync(cursor: string, reason: ResyncReason): void {
    if (cursor === this.received) return
    this.move(cursor)
    this.enqueue({ cursor, resync: reason })
  }

  /** Whether the event at this position has been received. */
  has(cursor: string): boolean {
    const position = readCursor(cursor)
    return position !== undefined && position.epoch === this.at?.epoch && position.seq <= this.at.seq
  }

  /** Whether the handlers have run up to this position. */
  hasHandled(cursor: string): boolean {
    const [wanted, handled] = [readCursor(cursor), readCursor(this.cursor ?? '')]
    return handled !== undefined && handled.epoch === wanted?.epoch && handled.seq >= wanted.seq
  }

  stop(): void {
    this.stopped = true
    this.queue.length = 0
    this.release()
  }

  private move(cursor: string): void {
    this.received = cursor
    this.at = readCursor(cursor)
  }

  private enqueue(item: Item): void {
    this.to.received(item)
    this.queue.push(item)
    if (!this.running) void this.run()
  }

  private async run(): Promise<void> {
    this.running = true
    for (;;) {
      const item = this.queue.shift()
      if (!item || this.stopped) break
      if ('event' in item) await this.to.event(item.event)
      else this.to.resync(item.resync)
      if (this.stopped) break
      this.cursor = item.cursor
      this.to.advanced()
      if (this.queue.length <= MOST / 2) this.release()
    }
    this.running = false
  }

  private release(): void {
    for (const resolve of this.waiting.splice(0)) resolve()
  }
}
