import type { Context } from '../../../core/context.ts'
import type { Language } from '../../../core/messages.ts'
import type { ServerSentEvent } from '../../../http/sse.ts'
import { eventFrame } from '../../../live/user/channel.ts'
import { reconnectDelay } from '../../../live/user/hub.ts'
import { type ChannelPage, type ChannelReader, type Position, readPage } from '../../../live/user/reader.ts'
import { formatCursor } from '../../../protocol/live/cursor.ts'
import type { ControlFrame, ResyncReason } from '../../../protocol/live/server-frames.ts'

const PAGE = 50
const RETRY_MS = 2000

interface Source {
  reader: ChannelReader
  from: Position | undefined
  language: Language
  signal: AbortSignal
}

/**
 * A user's channel as server-sent events, after a position. The stream ends with the user's session, with the signal, and
 * when the server stops. The signal also disposes of the reader when nobody has read the stream.
 */
export function eventSource(ctx: Context, source: Source): AsyncGenerator<ServerSentEvent, void> {
  const { reader, signal } = source
  const close = () => reader[Symbol.dispose]()
  if (signal.aborted) close()
  else signal.addEventListener('abort', close)
  return eventsOf(ctx, source)
}

async function* eventsOf(ctx: Context, source: Source): AsyncGenerator<ServerSentEvent, void> {
  const { reader, language } = source
  const id = (seq: number) => formatCursor(ctx.epoch, seq)
  using _ = reader
  try {
    let isFirst = true
    for await (const page of pagesOf(ctx, source)) {
      // With this id a client that disconnects before its first event resumes where it began. After a resync it gets no
      // id, so that the server tells it again.
      if (isFirst) yield { retry: RETRY_MS, ...(!page.resync && { id: id(page.seq - page.events.length) }) }
      isFirst = false
      if (hasEnded(source)) break
      if (page.resync) yield { id: id(page.seq), data: resyncFrame(ctx, page.seq, page.resync) }
      for (const event of page.events) {
        yield { id: id(event.seq), data: eventFrame(ctx.epoch, event, language) }
      }
    }
    if (reader.ended !== 'restarting') return
    const retry = reconnectDelay()
    const draining: ControlFrame = { type: 'draining', reconnect_after_ms: retry }
    yield { retry, data: JSON.stringify(draining) }
  } catch (error) {
    // The client reconnects and sends its last id.
    ctx.log.warn({ err: error }, 'a stream of events could not be read on')
  }
}

/** The pages of the log, one after the other; after the last one it waits for new events. */
async function* pagesOf(ctx: Context, source: Source): AsyncGenerator<ChannelPage, void> {
  const { reader, signal } = source
  const { userId } = reader.signedIn.principal
  for (let position = source.from; ; ) {
    const page = await readPage(ctx, userId, position, PAGE)
    yield page
    if (!page.hasMore) await reader.beyond(page.seq, signal)
    if (hasEnded(source)) return
    position = page.seq
  }
}

const hasEnded = ({ reader, signal }: Source): boolean => signal.aborted || reader.ended !== undefined

function resyncFrame(ctx: Context, seq: number, reason: ResyncReason): string {
  const frame: ControlFrame = { type: 'resync', cursor: formatCursor(ctx.epoch, seq), reason }
  return JSON.stringify(frame)
}
