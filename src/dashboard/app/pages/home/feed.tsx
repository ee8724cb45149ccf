/** The newest events, as they come. */
import { type Signal, signal } from '@preact/signals'
import type { AnyLiveEvent, LiveClient } from '../../../../client/index.ts'
import { wordsOf } from '../../lib/event-words.ts'
import { texts } from '../../lib/language.ts'
import { live } from '../../lib/session.ts'
import { Icon } from '../../ui/icon.tsx'
import { Ago, Card } from '../../ui/parts.tsx'

const t = texts({
  en: {
    title: 'What happens',
    none: 'Whatever happens to your tasks, files and appointments appears here at once.',
  },
  zh: { title: '最新动态', none: '任务、文件和日程的变化会立即显示在这里。' },
})

const SHOWN = 12

/** By client: they stay while other pages are shown, and another sign-in begins anew. */
const feeds = new WeakMap<LiveClient, Signal<readonly AnyLiveEvent[]>>()

function feedOf(client: LiveClient): Signal<readonly AnyLiveEvent[]> {
  const known = feeds.get(client)
  if (known) return known
  const feed = signal<readonly AnyLiveEvent[]>([])
  feeds.set(client, feed)
  client.on('*', (event) => {
    feed.value = [event, ...feed.peek()].slice(0, SHOWN)
  })
  return feed
}

export function Feed() {
  const events = feedOf(live()).value
  return (
    <Card title={t.title}>
      {events.length === 0 && <p class="muted">{t.none}</p>}
      <ol class="feed" aria-label={t.title}>
        {events.map((event) => {
          const { text, icon, tone, to } = wordsOf(event)
          return (
            <li key={event.cursor}>
              <span class={`feed-icon ${tone}`}>
                <Icon name={icon} size={16} />
              </span>
              {to ? <a href={to}>{text}</a> : <span>{text}</span>}
              <span class="small muted nowrap">
                <Ago at={event.at} />
              </span>
            </li>
          )
        })}
      </ol>
    </Card>
  )
}
