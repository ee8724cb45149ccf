import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { day as dayName, longDate, time, weekday } from '../../lib/format.ts'
import { texts } from '../../lib/language.ts'
import { Block, KeysHint, marksOf, timesOf } from './block.tsx'
import { DAY, dayOf, HOUR, MINUTE, minutesOf, momentOf, wallOf } from './clock.ts'
import { beginDrag, type Moved } from './drag.ts'
import { type Entry, keyOf } from './entries.ts'
import { layoutOf } from './layout.ts'
import { endMovedBy, movedBy, type Span } from './moves.ts'

const t = texts({
  en: { today: 'today', label: 'Schedule' },
  zh: { today: '今天', label: '日程表' },
})

const STEP = 15 * MINUTE
/** Where the grid begins when it is opened on another day than today. */
const MORNING_HOUR = 7

interface Props {
  days: number[]
  zone: string
  entries: Entry[]
  onOpen: (entry: Entry) => void
  onPick: (start: number) => void
  onMove: (entry: Entry, to: Span) => void
}

interface Drag extends Moved {
  key: string
  mode: 'move' | 'end'
}

const NEW_SPAN = {
  move: movedBy,
  end: (span: Span, ms: number, zone: string) => endMovedBy(span, ms, zone, STEP),
}
/** Only where somebody listens to it does the browser ask before it scrolls. */
const listen = () => {}
const msOf = ({ days, minutes }: Moved): number => days * DAY + minutes * MINUTE

/** Days as columns of 24 hours, as the clock shows them. */
export function Grid({ days, zone, entries, onOpen, onPick, onMove }: Props) {
  const scroller = useRef<HTMLElement>(null)
  const body = useRef<HTMLDivElement>(null)
  const drag = useSignal<Drag | undefined>(undefined)
  const now = useNow(zone)
  const today = dayOf(now)

  useEffect(() => {
    const hour = days.includes(today) ? Math.max(0, minutesOf(now) / 60 - 2) : MORNING_HOUR
    scroller.current!.scrollTop = (body.current!.offsetHeight / 24) * hour
  }, [])

  const shown = entries.map((entry) => {
    const moved = drag.value?.key === keyOf(entry, entry.start_at) ? drag.value : undefined
    return { ...entry, ...(moved && NEW_SPAN[moved.mode](entry, msOf(moved), zone)), entry }
  })
  const layout = layoutOf(shown, days, zone)

  const move = (entry: Entry, to: Span) => {
    onMove(entry, to)
    // The item may stand in another column now.
    requestAnimationFrame(() => {
      const key = CSS.escape(keyOf(entry, to.start_at))
      scroller.current?.querySelector<HTMLElement>(`[data-entry="${key}"]`)?.focus()
    })
  }
  const startDrag = (event: PointerEvent, entry: Entry, mode: Drag['mode']) => {
    const key = keyOf(entry, entry.start_at)
    beginDrag(event, {
      body: body.current!,
      scroller: scroller.current!,
      columns: mode === 'move' ? days.length : 1,
      onMove: (moved) => {
        drag.value = moved && { ...moved, key, mode }
      },
      onDrop: (moved) => move(entry, NEW_SPAN[mode](entry, msOf(moved), zone)),
    })
  }
  const key = (event: KeyboardEvent, entry: Entry) => {
    const moved = event.shiftKey ? KEYS[event.key] : undefined
    if (!moved) return
    event.preventDefault()
    move(entry, NEW_SPAN[event.altKey ? 'end' : 'move'](entry, msOf(moved), zone))
  }
  const pick = (event: MouseEvent, day: number) => {
    if (event.target !== event.currentTarget) return
    const { top, height } = (event.currentTarget as HTMLElement).getBoundingClientRect()
    const halfHours = Math.floor(((event.clientY - top) / height) * 48)
    onPick(momentOf(day * DAY + halfHours * (HOUR / 2), zone))
  }

  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a keyboard scrolls the hours
    <section class="schedule" ref={scroller} tabIndex={0} aria-label={t.label} data-days={days.length}>
      <KeysHint />
      <div class="schedule-head">
        <div class="hours" />
        {layout.map(({ day, long }) => (
          <div key={day} class="day-head" data-today={day === today}>
            <h2 title={longDate(noonOf(day, zone))}>
              <span class="muted">{weekday(noonOf(day, zone))}</span> {dayName(noonOf(day, zone))}
              {day === today && <span class="hidden-text">, {t.today}</span>}
            </h2>
            {long.map(({ entry }) => (
              <button
                key={entry.id}
                type="button"
                class="long-item truncate"
                style={entry.metadata.color ? { '--color': entry.metadata.color } : {}}
                title={[entry.title, timesOf(entry, zone), ...marksOf(entry)].join(', ')}
                onClick={() => onOpen(entry)}
              >
                {entry.title}
              </button>
            ))}
          </div>
        ))}
      </div>
      <div class="schedule-grid">
        <div class="hours" aria-hidden="true">
          {Array.from({ length: 23 }, (_, n) => (
            <span key={n} style={{ top: `${((n + 1) / 24) * 100}%` }}>
              {String(n + 1).padStart(2, '0')}:00
            </span>
          ))}
        </div>
        <div class="schedule-days" ref={body} onTouchStart={listen}>
          {layout.map(({ day, segments }) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: a keyboard has the button for a new item
            <ul
              key={day}
              class="day"
              aria-label={longDate(noonOf(day, zone))}
              onClick={(event) => pick(event, day)}
            >
              {segments.map((segment) => (
                <Block
                  key={keyOf(segment.entry.entry, segment.entry.entry.start_at)}
                  segment={segment}
                  zone={zone}
                  isDragged={drag.value?.key === keyOf(segment.entry, segment.entry.entry.start_at)}
                  onOpen={() => onOpen(segment.entry.entry)}
                  onDrag={(event, mode) => startDrag(event, segment.entry.entry, mode)}
                  onKey={(event) => key(event, segment.entry.entry)}
                />
              ))}
              {day === today && (
                <li
                  class="now-line"
                  aria-hidden="true"
                  title={time(momentOf(now, zone))}
                  style={{ top: `${(minutesOf(now) / (24 * 60)) * 100}%` }}
                />
              )}
            </ul>
          ))}
        </div>
      </div>
    </section>
  )
}

const KEYS: Record<string, Moved | undefined> = {
  ArrowUp: { days: 0, minutes: -15 },
  ArrowDown: { days: 0, minutes: 15 },
  ArrowLeft: { days: -1, minutes: 0 },
  ArrowRight: { days: 1, minutes: 0 },
}

/** A moment of the day, for its name: noon is in the same day in spite of changes of the clock. */
const noonOf = (day: number, zone: string): number => momentOf(day * DAY + 12 * HOUR, zone)

function useNow(zone: string): number {
  const now = useSignal(wallOf(Date.now(), zone))
  useEffect(() => {
    const timer = setInterval(() => {
      now.value = wallOf(Date.now(), zone)
    }, 30_000)
    return () => clearInterval(timer)
  }, [])
  return now.value
}
