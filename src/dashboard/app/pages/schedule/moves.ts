/** What a move or another length of an item asks of the API. */
import { dayOf, momentOf, wallOf } from './clock.ts'
import { movedRule } from './rule.ts'

/** The fields of an entry that a move needs. */
export interface Movable {
  start_at: string
  end_at: string | null
  timezone: string
  rrule: string | null
  recurrence_start: string | null
}

export interface Span {
  start_at: string
  end_at: string | null
}

const iso = (moment: number): string => new Date(moment).toISOString()

/** The entry moved by so much on the clock of `zone`; its length stays. */
export function movedBy({ start_at, end_at }: Span, ms: number, zone: string): Span {
  const start = Date.parse(start_at)
  const moved = momentOf(wallOf(start, zone) + ms, zone)
  return { start_at: iso(moved), end_at: end_at && iso(Date.parse(end_at) + moved - start) }
}

/** The entry with its end moved by so much on the clock of `zone`, and at least `least` ms long. */
export function endMovedBy({ start_at, end_at }: Span, ms: number, zone: string, least: number): Span {
  const end = momentOf(wallOf(Date.parse(end_at ?? start_at), zone) + ms, zone)
  return { start_at, end_at: iso(Math.max(end, Date.parse(start_at) + least)) }
}

/** The change of a whole series after one of its occurrences has moved. Undefined: its rule cannot follow. */
export function seriesChange(entry: Movable, to: Span): (Span & { rrule: string }) | undefined {
  const { timezone: zone } = entry
  const [was, is] = [wallOf(Date.parse(entry.start_at), zone), wallOf(Date.parse(to.start_at), zone)]
  const begin = Date.parse(entry.recurrence_start!)
  const start = momentOf(wallOf(begin, zone) + is - was, zone)
  const rrule = movedRule(entry.rrule!, {
    days: dayOf(is) - dayOf(was),
    ms: start - begin,
    day: dayOf(wallOf(start, zone)),
  })
  const length = to.end_at ? Date.parse(to.end_at) - Date.parse(to.start_at) : undefined
  return rrule === undefined
    ? undefined
    : { start_at: iso(start), end_at: length === undefined ? null : iso(start + length), rrule }
}
