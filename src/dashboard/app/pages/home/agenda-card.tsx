import { useEffect } from 'preact/hooks'
import { dataOf } from '../../../../client/index.ts'
import { date, time } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { href } from '../../lib/router.ts'
import { api } from '../../lib/session.ts'
import { reload, useView, type View } from '../../lib/view.ts'
import { Card, Loaded } from '../../ui/parts.tsx'

const t = texts({
  en: {
    title: 'Next appointments',
    open: 'Schedule',
    none: 'Nothing in the next two weeks.',
    plan: 'Plan something',
  },
  zh: { title: '接下来的日程', open: '日程', none: '未来两周没有日程。', plan: '添加日程' },
})

const SHOWN = 5
const AHEAD_MS = 14 * 86_400_000

interface Entry {
  id: string
  title: string
  start_at: string
  end_at: string | null
  metadata: { location?: string }
}

async function load(signal: AbortSignal): Promise<Entry[]> {
  const query = {
    start_at: new Date().toISOString(),
    end_at: new Date(Date.now() + AHEAD_MS).toISOString(),
    limit: 50,
  }
  const entries = await dataOf(api().runtime['schedule-items'].get({ query, signal }))
  return entries.filter(({ status }) => status === 'active').slice(0, SHOWN)
}

/** An entry that the server still counts as coming must not make the card fetch without a pause. */
const SOONEST_MS = 60_000
/** A timer holds 24 days at most, and fires at once for a longer time. */
const LATEST_MS = 24 * 60 * 60_000

/** Fetches anew when the first of the entries is over. */
function useNext(view: View<Entry[]>): void {
  const entries = view.data
  useEffect(() => {
    if (!entries?.length) return undefined
    const overAt = Math.min(...entries.map(({ start_at, end_at }) => Date.parse(end_at ?? start_at)))
    const delay = Math.min(Math.max(overAt - Date.now(), SOONEST_MS), LATEST_MS)
    const timer = setTimeout(() => void view.reload(), delay)
    return () => clearTimeout(timer)
  }, [entries])
}

export function AgendaCard() {
  const view = useView<Entry[]>({
    load,
    on: { 'schedule.created': reload, 'schedule.updated': reload, 'schedule.deleted': reload },
  })
  useNext(view)
  return (
    <Card
      title={t.title}
      actions={
        <a class="small" href={href('/schedule')}>
          {t.open}
        </a>
      }
    >
      <Loaded view={view} lines={2}>
        {(entries) =>
          entries.length === 0 ? (
            <p class="muted">
              {t.none} <a href={href('/schedule')}>{t.plan}</a>
            </p>
          ) : (
            <ul class="stack-tight">
              {entries.map(({ id, title, start_at, metadata }) => (
                <li key={`${id} ${start_at}`} class="home-entry">
                  <time class="small muted number" dateTime={start_at}>
                    {date(start_at)} {time(start_at)}
                  </time>
                  <span class="truncate">{title}</span>
                  {metadata.location && <span class="small muted truncate">{metadata.location}</span>}
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Card>
  )
}
