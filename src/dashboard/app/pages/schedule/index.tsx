import { useSignal } from '@preact/signals'
import { dateRange, longDate } from '../../lib/format.ts'
import { keep, kept } from '../../lib/kept.ts'
import { texts } from '../../lib/language.ts'
import { askPermission, permission } from '../../lib/reminders.ts'
import { href, navigate, route } from '../../lib/router.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { ErrorNotice, PageHead } from '../../ui/parts.tsx'
import { DAY, dayOf, dayText, HOUR, momentOf, mondayOf, readDay, wallOf } from './clock.ts'
import type { Subject } from './draft.ts'
import { Editor } from './editor.tsx'
import { type Entry, useEntries } from './entries.ts'
import { FeedDialog } from './feed.tsx'
import { Grid } from './grid.tsx'
import type { Span } from './moves.ts'
import { ScopeDialog } from './scope.tsx'

const t = texts({
  en: {
    title: 'Schedule',
    create: 'New appointment',
    today: 'Today',
    before: 'Earlier',
    after: 'Later',
    view: 'View',
    week: 'Week',
    day: 'Day',
    feed: 'Calendar feed',
    notify: 'Notify me',
    notifyWhy: 'Show reminders as notifications of this browser',
    denied:
      'This browser blocks notifications. Reminders appear on the page alone; the browser’s settings of this site change that.',
    empty: 'Nothing is planned here. Click a free time, press “New appointment”, or ask the agent.',
  },
  zh: {
    title: '日程',
    create: '新建日程',
    today: '今天',
    before: '往前',
    after: '往后',
    view: '视图',
    week: '周',
    day: '日',
    feed: '日历订阅',
    notify: '开启通知',
    notifyWhy: '用浏览器通知显示提醒',
    denied: '浏览器已阻止通知，提醒只在页面内显示。可在浏览器的网站设置中更改。',
    empty: '这里还没有安排。点击空白时间、“新建日程”，或让助手添加。',
  },
})

type ViewName = 'week' | 'day'
const VIEW_KEY = 'roost.schedule.view'
const NARROW = '(max-width: 720px)'

interface Shown {
  view: ViewName
  /** The one that the address names. */
  day: number
  days: number[]
}

function shownDays(zone: string): Shown {
  const { query } = route.value
  const moment = query.get('at') ?? ''
  const at = readDay(moment.slice(0, 10)) === undefined ? Number.NaN : Date.parse(moment)
  const named = readDay(query.get('date') ?? '')
  const day = named ?? dayOf(wallOf(Number.isNaN(at) ? Date.now() : at, zone))
  const wanted = query.get('view') ?? kept(VIEW_KEY) ?? (matchMedia(NARROW).matches ? 'day' : 'week')
  const view = wanted === 'day' ? 'day' : 'week'
  const first = view === 'day' ? day : mondayOf(day)
  return { view, day, days: Array.from({ length: view === 'day' ? 1 : 7 }, (_, n) => first + n) }
}

const show = (day: number, view: ViewName) =>
  navigate(href('/schedule', { date: dayText(day), view }), { replace: true })

export default function Schedule() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  const { view, day, days } = shownDays(zone)
  const entries = useEntries(days[0]!, days.at(-1)!, zone)
  const subject = useSignal<Subject | undefined>(undefined)
  const isFeedOpen = useSignal(false)
  const moved = useSignal<{ entry: Entry; to: Span } | undefined>(undefined)

  const begin = (start: number) => {
    subject.value = { start, end: start + HOUR }
  }
  const next = () => {
    const today = dayOf(wallOf(Date.now(), zone))
    begin(days.includes(today) ? Math.ceil(Date.now() / HOUR) * HOUR : momentOf(day * DAY + 9 * HOUR, zone))
  }
  const move = (entry: Entry, to: Span) => {
    if (entry.rrule === null) entries.move(entry, to)
    else moved.value = { entry, to }
  }

  return (
    <>
      <PageHead title={t.title}>
        {permission.value === 'default' && (
          <Button icon="bell" title={t.notifyWhy} onClick={askPermission}>
            {t.notify}
          </Button>
        )}
        <Button
          icon="link"
          onClick={() => {
            isFeedOpen.value = true
          }}
        >
          {t.feed}
        </Button>
        <Button kind="primary" icon="plus" onClick={next}>
          {t.create}
        </Button>
      </PageHead>
      {permission.value === 'denied' && <p class="small muted">{t.denied}</p>}
      <Bar view={view} day={day} days={days} zone={zone} />
      {entries.error !== undefined && <ErrorNotice error={entries.error} onRetry={entries.reload} />}
      {entries.data?.length === 0 && !entries.loading && <p class="muted">{t.empty}</p>}
      <Grid
        key={view}
        days={days}
        zone={zone}
        entries={entries.data ?? []}
        onOpen={(entry) => {
          subject.value = entry
        }}
        onPick={begin}
        onMove={move}
      />
      {subject.value && (
        <Editor
          subject={subject.value}
          zone={zone}
          onClose={() => {
            subject.value = undefined
          }}
        />
      )}
      {isFeedOpen.value && (
        <FeedDialog
          onClose={() => {
            isFeedOpen.value = false
          }}
        />
      )}
      {moved.value && (
        <ScopeDialog
          {...moved.value}
          onDone={() => void entries.reload()}
          onClose={() => {
            moved.value = undefined
          }}
        />
      )}
    </>
  )
}

/** Which days are shown, and how to get to others. */
function Bar({ view, day, days, zone }: Shown & { zone: string }) {
  const step = view === 'day' ? 1 : 7
  const nameOf = (one: number) => momentOf(one * DAY + 12 * HOUR, zone)
  return (
    <div class="row schedule-bar">
      <IconButton icon="left" label={t.before} onClick={() => show(day - step, view)} />
      <IconButton icon="right" label={t.after} onClick={() => show(day + step, view)} />
      <Button onClick={() => show(dayOf(wallOf(Date.now(), zone)), view)}>{t.today}</Button>
      <strong class="grow" aria-live="polite">
        {view === 'day' ? longDate(nameOf(day)) : dateRange(nameOf(days[0]!), nameOf(days.at(-1)!))}
      </strong>
      <fieldset class="row segments">
        <legend class="hidden-text">{t.view}</legend>
        {(['week', 'day'] as const).map((one) => (
          <Button
            key={one}
            small
            aria-pressed={one === view}
            onClick={() => {
              keep(VIEW_KEY, one)
              show(day, one)
            }}
          >
            {t[one]}
          </Button>
        ))}
      </fieldset>
    </div>
  )
}
