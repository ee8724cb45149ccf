/** The newest events, as they come. */
import type { AnyLiveEvent } from '../../../../client/index.ts'
import { EVENT_TYPES } from '../../lib/event-names.ts'
import { wordsOf } from '../../lib/event-words.ts'
import { texts } from '../../lib/language.ts'
import { request } from '../../lib/request.ts'
import { live } from '../../lib/session.ts'
import { useView } from '../../lib/view.ts'
import { Icon } from '../../ui/icon.tsx'
import { Ago, Card, Loaded } from '../../ui/parts.tsx'

const t = texts({
  en: {
    title: 'What happens',
    none: 'Whatever happens to your tasks, files and appointments appears here at once.',
  },
  zh: { title: '最新动态', none: '任务、文件和日程的变化会立即显示在这里。' },
})

const SHOWN = 12

/** The last ones before the client's position. The numbers of a channel have no gaps: docs/protocol.md, "The user's channel". */
async function load(signal: AbortSignal): Promise<AnyLiveEvent[]> {
  const [epoch, position] = live().cursor!.split('.')
  const cursor = `${epoch}.${Math.max(0, Number(position) - SHOWN)}`
  const answer = await request(`/api/events?cursor=${cursor}&limit=${SHOWN}`, { signal })
  return (await answer.json()).events.reverse()
}

const withEvent = (event: AnyLiveEvent, events: AnyLiveEvent[]): AnyLiveEvent[] =>
  events.some(({ cursor }) => cursor === event.cursor) ? events : [event, ...events].slice(0, SHOWN)

export function Feed() {
  const view = useView<AnyLiveEvent[]>({
    load,
    on: Object.fromEntries(EVENT_TYPES.map((type) => [type, withEvent])),
  })
  return (
    <Card title={t.title}>
      <Loaded view={view} lines={3}>
        {(events) => (
          <>
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
          </>
        )}
      </Loaded>
    </Card>
  )
}
