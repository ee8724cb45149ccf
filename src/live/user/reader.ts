import type { LoggedEvent } from '../../core/channel/log.ts'
import { channelHead, readEvents } from '../../core/channel/log.ts'
import type { Context } from '../../core/context.ts'
import type { ResyncReason } from '../../protocol/live/server-frames.ts'
import type { LiveChannel } from './channel.ts'
import type { SignIn } from './sign-in.ts'

/** A page of a user's log. */
export interface ChannelPage {
  events: LoggedEvent[]
  /** The position behind them. */
  seq: number
  hasMore: boolean
  /** Why the page does not begin at the requested position. The page has no events then. */
  resync: ResyncReason | undefined
}

/** A sequence number, or what is wrong with the cursor. */
export type Position = number | 'epoch' | 'unknown'

/** The events after `from`, oldest first. Without `from`: no events, and the current position. */
export async function readPage(
  ctx: Context,
  userId: number,
  from: Position | undefined,
  limit: number,
): Promise<ChannelPage> {
  const nothing = { events: [], hasMore: false }
  const now = async (resync?: ResyncReason): Promise<ChannelPage> => ({
    ...nothing,
    seq: await channelHead(ctx, userId),
    resync,
  })
  if (from === undefined) return now()
  if (typeof from !== 'number') return now(from)
  // One more event tells whether there are more.
  const read = () => readEvents(ctx, userId, from, limit + 1)
  let rows = await read()
  if (rows.length === 0) {
    const head = await channelHead(ctx, userId)
    if (head < from) return now('unknown')
    if (head === from) return { ...nothing, seq: from, resync: undefined }
    // Events have come between the two queries, or the log does not keep these events any more.
    rows = await read()
  }
  // Sequence numbers have no gaps.
  if (rows[0]?.seq !== from + 1) return now('expired')
  const events = rows.slice(0, limit)
  return { events, seq: from + events.length, hasMore: rows.length > limit, resync: undefined }
}

export type ReaderEnd = 'signed_out' | 'expired' | 'restarting'

/** An HTTP request that waits for events. The hub wakes it, so that it does not poll the database. */
export class ChannelReader {
  ended: ReaderEnd | undefined
  private wakeUp: (() => void) | undefined

  constructor(
    readonly signedIn: SignIn,
    readonly channel: LiveChannel,
    private readonly onClose: (reader: ChannelReader) => void,
  ) {}

  /** Resolves when there are events after `seq`, after `ms`, when `signal` aborts, or when the reader has ended. */
  async beyond(seq: number, signal: AbortSignal, ms?: number): Promise<void> {
    if (this.ended || signal.aborted || this.isBeyond(seq)) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.wakeUp = () => {
      if (this.ended || this.isBeyond(seq)) resolve()
    }
    const done = () => resolve()
    signal.addEventListener('abort', done)
    const timer = ms === undefined ? undefined : setTimeout(done, ms)
    await promise
    clearTimeout(timer)
    signal.removeEventListener('abort', done)
    this.wakeUp = undefined
  }

  wake(): void {
    this.wakeUp?.()
  }

  end(why: ReaderEnd): void {
    this.ended ??= why
    this.wake()
  }

  [Symbol.dispose](): void {
    this.onClose(this)
  }

  private isBeyond(seq: number): boolean {
    return (this.channel.head ?? 0) > seq
  }
}
