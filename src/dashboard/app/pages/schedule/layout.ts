/** Where items stand in the columns of days. */
import { DAY, dayOf, HOUR, MINUTE, wallOf } from './clock.ts'

interface Timed {
  start_at: string
  end_at: string | null
}

/** The part of an item that is in one day. */
export interface Segment<T> {
  entry: T
  /** Minutes of the day, on the clock. */
  from: number
  to: number
  /** Of the items that overlap: `column` of `columns`, from 0. */
  column: number
  columns: number
  startsHere: boolean
  endsHere: boolean
}

export interface DayLayout<T> {
  day: number
  segments: Segment<T>[]
  /** Items of a day or longer, which stand above the hours. */
  long: T[]
}

const DAY_MINUTES = 24 * 60
/** The least height that shows a title. */
export const LEAST_MINUTES = 25
/** How long an item without an end looks. */
const WITHOUT_END = 30 * MINUTE

export function layoutOf<T extends Timed>(entries: T[], days: number[], zone: string): DayLayout<T>[] {
  const byDay = new Map(days.map((day) => [day, { day, segments: [] as Segment<T>[], long: [] as T[] }]))
  for (const entry of entries) {
    const [start, end] = [Date.parse(entry.start_at), entry.end_at ? Date.parse(entry.end_at) : undefined]
    const from = wallOf(start, zone)
    // Within the hour that a clock shows twice, the end may stand before the start.
    const to = Math.max(end === undefined ? from + WITHOUT_END : wallOf(end, zone), from)
    const isLong = end !== undefined && end - start >= 24 * HOUR
    // What ends at midnight is not in the next day.
    const last = dayOf(Math.max(to - 1, from))
    for (let day = Math.max(dayOf(from), days[0]!); day <= Math.min(last, days.at(-1)!); day++) {
      const column = byDay.get(day)
      if (!column) continue
      if (isLong) column.long.push(entry)
      else column.segments.push(segmentOf(entry, from - day * DAY, to - day * DAY))
    }
  }
  for (const { segments } of byDay.values()) putSideBySide(segments)
  return [...byDay.values()]
}

function segmentOf<T>(entry: T, from: number, to: number): Segment<T> {
  const begin = Math.min(Math.max(0, from / MINUTE), DAY_MINUTES - LEAST_MINUTES)
  return {
    entry,
    from: begin,
    to: Math.max(Math.min(to / MINUTE, DAY_MINUTES), begin + LEAST_MINUTES),
    column: 0,
    columns: 1,
    startsHere: from >= 0,
    endsHere: to <= DAY,
  }
}

/** Items that overlap, also over others, share the width. Each takes the first column that is free. */
function putSideBySide<T>(segments: Segment<T>[]): void {
  segments.sort((a, b) => a.from - b.from || b.to - a.to)
  let group: Segment<T>[] = []
  let ends: number[] = []
  const close = () => {
    for (const segment of group) segment.columns = ends.length
    group = []
    ends = []
  }
  for (const segment of segments) {
    if (ends.every((end) => end <= segment.from)) close()
    const free = ends.findIndex((end) => end <= segment.from)
    segment.column = free < 0 ? ends.length : free
    ends[segment.column] = segment.to
    group.push(segment)
  }
  close()
}
