import type { Context } from '../../../core/context.ts'
import type { Language } from '../../../core/messages.ts'
import type { ServerSentEvent } from '../../../http/sse.ts'
import { formatCursor } from '../../../live/cursor.ts'
import { eventFrame } from '../../../live/user/channel.ts'
import { reconnectDelay } from '../../../live/user/hub.ts'
import { type ChannelReader, type Position, readPage } from '../../../live/user/reader.ts'
import type { ControlFrame, ResyncReason } from '../../../protocol/live/server-frames.ts'

const PAGE = 50
const RETRY_MS = 2000

/**
 * A user's channel as server-sent events, from a position on; ends with the sign-in, and when the server stops.
 * The reader is disposed of with the signal, also when nobody ever reads.
 */
export function eventSource(
  ctx: Context,
  reader: ChannelReader,
  from: Position | undefined,
  language: Language,
  signal: AbortSignal,
): AsyncGenerator<ServerSentEvent, void> {
  const close = () => reader[Symbol.dispose]()
  if (signal.aborted) close()
  else signal.addEventListener('abort', close)
  return follow(ctx, reader, from, language, signal)
}

async function* follow(
  ctx: Context,
  reader: ChannelReader,
  from: Position | undefined,
  language: Language,
  signal: AbortSignal,
): AsyncGenerator<ServerSentEvent, void> {
  const { userId } = reader.signedIn.principal
  const id = (seq: number) => formatCursor(ctx.epoch, seq)
  using _ = reader
  try {
    let page = await readPage(ctx, userId, from, PAGE)
    // A client that goes away before its first event comes back to where it began. After a resync it must be told again.
    yield page.resync ? { retry: RETRY_MS } : { retry: RETRY_MS, id: id(page.seq - page.events.length) }
    while (!signal.aborted && !reader.ended) {
      if (page.resync) yield { id: id(page.seq), data: resyncFrame(ctx, page.seq, page.resync) }
      for (const event of page.events)
        yield { id: id(event.seq), data: eventFrame(ctx.epoch, event, language) }
      if (!page.hasMore) await reader.beyond(page.seq, signal)
      if (signal.aborted || reader.ended) break
      page = await readPage(ctx, userId, page.seq, PAGE)
    }
    if (reader.ended !== 'restarting') return
    const retry = reconnectDelay()
    const draining: ControlFrame = { type: 'draining', reconnect_after_ms: retry }
    yield { retry, data: JSON.stringify(draining) }
  } catch (error) {
    // The client comes back with its last id.
    ctx.log.warn({ err: error }, 'a stream of events could not be read on')
  }
}

function resyncFrame(ctx: Context, seq: number, reason: ResyncReason): string {
  const frame: ControlFrame = { type: 'resync', cursor: formatCursor(ctx.epoch, seq), reason }
  return JSON.stringify(frame)
}
