import type { Language } from '../../../core/messages.ts'
import { eventFrame } from '../../../live/user/channel.ts'
import type { ChannelPage } from '../../../live/user/reader.ts'
import { formatCursor } from '../../../protocol/live/cursor.ts'

/**
 * A page of events as JSON text. The log stores events as text, so the server joins the texts and parses none of them,
 * except events whose messages depend on the language.
 */
export function presentEvents(epoch: string, page: ChannelPage, language: Language): string {
  const frames = page.events.map((event) => eventFrame(epoch, event, language)).join(',')
  const rest = JSON.stringify({
    cursor: formatCursor(epoch, page.seq),
    has_more: page.hasMore,
    resync: page.resync ?? null,
  })
  return `{"events":[${frames}],${rest.slice(1)}`
}
