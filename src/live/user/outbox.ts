/**
 * How the events of a channel reach one socket: in order, each once.
 *
 * The state is one number, `sent`: the sequence number of the last event that went out. Sequence numbers of a channel have no
 * gaps, so the next event is always `sent + 1`.
 *
 * - Backfill: the channel's tail does not hold the next event. The outbox reads the log after `sent`, page by page.
 * - Cutover: before each page the outbox looks at the tail. When the tail holds the next event, the outbox goes on from
 *   there. This needs no lock: tail and log number the same events, so that none is skipped and none is repeated.
 * - Live: a hint puts a new event into the tail, and the outbox sends it at once.
 *
 * While the client does not read, the outbox sends nothing and keeps nothing; `sent` stays where it is. When the client reads
 * again, the outbox goes on from the tail or the log. When the log no longer holds the next event, the client gets `resync`
 * and the outbox goes on from the head.
 */
import { readEvents } from '../../core/channel/log.ts'
import type { Context } from '../../core/context.ts'
import type { Language } from '../../core/messages.ts'
import { formatCursor } from '../../protocol/live/cursor.ts'
import type { ControlFrame } from '../../protocol/live/server-frames.ts'
import { eventFrame, type LiveChannel } from './channel.ts'

/** The socket that an outbox writes to. */
export interface OutboxSocket {
  readonly closed: boolean
  /** The client does not read. */
  readonly isBlocked: boolean
  /** The language of the texts in events. */
  readonly language: Language
  write(text: string): void
  send(frame: ControlFrame): void
  /** The backfill has ended: the socket sends whatever is due. */
  pump(): void
}

/** Events of a page. A frame has at most some 20 KB, so that a page costs little memory. */
const PAGE = 50

export class Outbox {
  private reading = false

  constructor(
    private readonly ctx: Context,
    private readonly channel: LiveChannel,
    private readonly socket: OutboxSocket,
    public sent: number,
  ) {}

  /**
   * Sends events until the client has all of them or stops reading.
   * @returns false while the log is being read: other frames must wait
   */
  pump(): boolean {
    if (this.reading) return false
    const { metrics, clock } = this.ctx
    while (this.sent < this.channel.head! && !this.socket.isBlocked) {
      const frame = this.channel.frame(this.sent + 1, this.socket.language)
      if (frame === undefined) {
        void this.backfill()
        return false
      }
      this.sent++
      metrics.eventsDelivered.value++
      metrics.deliveryDelay.observe(Math.max(0, clock.ageOf(this.channel.timeOf(this.sent))) / 1000)
      this.socket.write(frame)
    }
    return true
  }

  private async backfill(): Promise<void> {
    this.reading = true
    try {
      while (!this.socket.closed && !this.socket.isBlocked && this.sent < this.channel.head!) {
        if (this.channel.has(this.sent + 1)) break
        const page = await readEvents(this.ctx, this.channel.userId, this.sent, PAGE)
        if (this.socket.closed) return
        if (page[0]?.seq !== this.sent + 1) {
          this.resync()
          break
        }
        // What the client does not read of a page is read again later.
        for (const event of page) {
          if (this.socket.isBlocked) break
          this.sent = event.seq
          this.socket.write(eventFrame(this.ctx.epoch, event, this.socket.language))
          this.ctx.metrics.eventsDelivered.value++
        }
        // The log may be ahead of every hint.
        this.channel.advance(this.sent)
      }
    } catch (error) {
      this.ctx.log.warn({ err: error }, 'the channel log could not be read; the poll tries again')
      return
    } finally {
      this.reading = false
    }
    this.socket.pump()
  }

  private resync(): void {
    this.sent = this.channel.head!
    this.socket.send({
      type: 'resync',
      cursor: formatCursor(this.ctx.epoch, this.sent),
      reason: 'expired',
    })
  }
}
