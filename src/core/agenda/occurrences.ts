import type { Slices } from '../../util/slices.ts'
import type { Item } from './rows.ts'
import { startsFrom } from './series.ts'
import { LATEST } from './times.ts'

type Timed = Pick<Item, 'startAt' | 'endAt' | 'timezone' | 'rrule' | 'exceptions' | 'lastsUntil'>

/** In ms; every occurrence has the same duration (RFC 5545, 3.8.5.3). */
const durationOf = ({ startAt, endAt }: Timed): number => (endAt ?? startAt).getTime() - startAt.getTime()

/** When the last occurrence starts, or the item itself if it does not recur; null: its rule has no end. */
export const lastStartOf = (item: Timed): Date | null =>
  item.lastsUntil && new Date(item.lastsUntil.getTime() - durationOf(item))

/**
 * Yields the starts of an item's occurrences from `from` to `until`, in order and lazily.
 * @throws OverBudget
 */
export async function* itemStartsFrom(
  item: Timed,
  from: Date,
  slices: Slices,
  until: Date = LATEST,
): AsyncGenerator<Date> {
  const { rrule, startAt } = item
  if (rrule !== null) yield* startsFrom({ ...item, rrule, lastStart: lastStartOf(item) }, from, slices, until)
  else if (startAt >= from && startAt <= until) yield startAt
}

/** The end of the occurrence that starts at `start`; null for an item without an end. */
export const endOf = (item: Timed, start: Date): Date | null =>
  item.endAt && new Date(start.getTime() + durationOf(item))

/** From `from` up to and without `to`. Undefined: no bound on that side. */
export interface Window {
  from: Date | undefined
  to: Date | undefined
}

/**
 * Yields the starts of the occurrences that overlap a window. An item without a length counts as a millisecond long: it
 * overlaps a window that begins in its moment, and not one that ends there.
 * @throws OverBudget
 */
export async function* startsWithin(item: Timed, { from, to }: Window, slices: Slices): AsyncGenerator<Date> {
  const reach = Math.max(durationOf(item), 1) - 1
  const first = from ? new Date(from.getTime() - reach) : item.startAt
  for await (const start of itemStartsFrom(item, first, slices, to)) {
    if (to && start >= to) return
    yield start
  }
}
