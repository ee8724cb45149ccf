import { time } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { wallOf, wallText } from './clock.ts'
import { type Entry, keyOf } from './entries.ts'
import type { Segment } from './layout.ts'

const t = texts({
  en: {
    keys: 'Enter opens it, Shift and arrows move it, Alt, Shift and arrows change its length',
    recurring: 'recurring',
    completed: 'completed',
    cancelled: 'cancelled',
    active: '',
  },
  zh: {
    keys: '回车打开，Shift 加方向键移动，Alt 加 Shift 加方向键调整时长',
    recurring: '重复',
    completed: '已完成',
    cancelled: '已取消',
    active: '',
  },
})

export const KeysHint = () => (
  <span id="schedule-keys" class="hidden-text">
    {t.keys}
  </span>
)

/** The times of an entry, in this browser's time zone, and in its own where they differ. */
export function timesOf({ start_at, end_at, timezone }: Entry, zone: string): string {
  const here = end_at ? `${time(start_at)}–${time(end_at)}` : time(start_at)
  const start = Date.parse(start_at)
  const there = wallOf(start, timezone)
  return there === wallOf(start, zone) ? here : `${here} (${wallText(there).slice(11)} ${timezone})`
}

/** What an entry is beside its times, in words. */
export const marksOf = ({ rrule, status }: Entry): string[] =>
  [rrule === null ? '' : t.recurring, t[status]].filter(Boolean)

interface Props {
  segment: Segment<Entry>
  zone: string
  isDragged: boolean
  onOpen: () => void
  onDrag: (event: PointerEvent, mode: 'move' | 'end') => void
  onKey: (event: KeyboardEvent) => void
}

const MINUTES = 24 * 60
/** So high is an item whose title and times stand below each other. */
const TWO_LINES = 45
const share = (part: number, whole: number): string => `${(part / whole) * 100}%`

/** An item in the column of a day. */
export function Block({ segment, zone, isDragged, onOpen, onDrag, onKey }: Props) {
  const { entry, from, to, column, columns, startsHere, endsHere } = segment
  const times = timesOf(entry, zone)
  const label = [entry.title, times, ...marksOf(entry), entry.metadata.location].filter(Boolean).join(', ')
  return (
    <li
      class={`block ${entry.status} ${to - from < TWO_LINES ? 'short' : ''} ${isDragged ? 'dragged' : ''}`}
      style={{
        top: share(from, MINUTES),
        height: share(to - from, MINUTES),
        left: share(column, columns),
        width: share(1, columns),
        ...(entry.metadata.color && { '--color': entry.metadata.color }),
      }}
    >
      <button
        type="button"
        data-entry={startsHere ? keyOf(entry, entry.start_at) : undefined}
        aria-describedby="schedule-keys"
        title={label}
        onClick={onOpen}
        onPointerDown={(event) => onDrag(event, 'move')}
        onKeyDown={onKey}
      >
        <strong>{entry.title}</strong>
        <span>{times}</span>
        {entry.metadata.location && <span>{entry.metadata.location}</span>}
        <span class="hidden-text">{marksOf(entry).join(', ')}</span>
      </button>
      {endsHere && <span class="block-end" onPointerDown={(event) => onDrag(event, 'end')} />}
    </li>
  )
}
