import { eventsHint } from '../../core/channel/hints.ts'
import { channelHead, channelHeads, oldestEvent } from '../../core/channel/log.ts'
import type { Context } from '../../core/context.ts'
import { parseCursor } from '../../protocol/live/cursor.ts'
import { LiveChannel } from './channel.ts'
import type { Position } from './reader.ts'

/**
 * The channels of users who read on this server. Hints of new events wake them; a poll finds events whose hint was lost.
 */
export class Channels {
  private readonly byUser = new Map<number, LiveChannel>()
  private wanted = new Map<number, Pick<PromiseWithResolvers<void>, 'resolve' | 'reject'>[]>()
  private loading = false

  constructor(private readonly ctx: Context) {
    ctx.bus.subscribe(eventsHint, (events) => {
      const touched = new Set<LiveChannel>()
      for (const event of events) {
        const channel = this.byUser.get(event.userId)
        channel?.offer(event)
        if (channel) touched.add(channel)
      }
      for (const channel of touched) channel.pump()
    })
  }

  find(userId: number): LiveChannel | undefined {
    return this.byUser.get(userId)
  }

  /** The user's channel; its head may not be known yet. */
  open(userId: number): LiveChannel {
    let channel = this.byUser.get(userId)
    if (!channel) {
      channel = new LiveChannel(userId, this.ctx.epoch)
      this.byUser.set(userId, channel)
    }
    return channel
  }

  dropIdle(channel: LiveChannel): void {
    const { userId } = channel
    if (channel.isIdle && this.byUser.get(userId) === channel) this.byUser.delete(userId)
  }

  /** Reads the head of a channel that does not know it. Many sockets that open at once share one query. */
  loadHead(channel: LiveChannel): Promise<void> {
    if (channel.head !== undefined) return Promise.resolve()
    const { userId } = channel
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.wanted.set(userId, [...(this.wanted.get(userId) ?? []), { resolve, reject }])
    if (!this.loading) void this.loadHeads()
    return promise
  }

  /** Finds events whose hint was lost. */
  async poll(): Promise<void> {
    const known = [...this.byUser.values()].filter((channel) => channel.head !== undefined)
    if (known.length === 0) return
    const heads = await channelHeads(
      this.ctx,
      known.map((channel) => channel.userId),
    )
    for (const channel of known) {
      channel.advance(heads.get(channel.userId) ?? 0)
      channel.pump()
    }
  }

  /**
   * The position from which a client with this cursor goes on.
   * @returns a sequence number, or why the client has to fetch anew
   */
  async resume(channel: LiveChannel, cursor: string | undefined): Promise<Position | 'expired'> {
    const head = channel.head!
    if (cursor === undefined) return head
    const seq = parseCursor(this.ctx.epoch, cursor)
    if (typeof seq !== 'number' || seq === head) return seq
    if (seq > head) {
      // A client that comes from another server may have seen events of which this server has not heard yet.
      channel.advance(await channelHead(this.ctx, channel.userId))
      channel.pump()
      return seq <= channel.head! ? seq : 'unknown'
    }
    const oldest = await oldestEvent(this.ctx, channel.userId)
    return oldest !== undefined && oldest <= seq + 1 ? seq : 'expired'
  }

  private async loadHeads(): Promise<void> {
    this.loading = true
    // Calls of the same turn join the batch.
    await Promise.resolve()
    while (this.wanted.size > 0) {
      const batch = this.wanted
      this.wanted = new Map()
      try {
        const heads = await channelHeads(this.ctx, [...batch.keys()])
        for (const [userId, callers] of batch) {
          this.byUser.get(userId)?.begin(heads.get(userId) ?? 0)
          for (const { resolve } of callers) resolve()
        }
      } catch (error) {
        for (const callers of batch.values()) for (const { reject } of callers) reject(error)
      }
    }
    this.loading = false
  }
}
