import type { Slices } from '../../util/slices.ts'
import type { Item } from './items.ts'
import { startsFrom } from './series.ts'
import { LATEST } from './times.ts'

type Timed = Pick<Item, 'startAt' | 'endAt' | 'timezone' | 'rrule' | 'exceptions' | 'lastsUntil'>

/** In ms, the same of every occurrence (RFC 5545, 3.8.5.3). */
const durationOf = ({ startAt, endAt }: Timed): number => (endAt ?? startAt).getTime() - startAt.getTime()

/** When its last occurrence starts, or it itself; null: never, the rule has no end. */
export const lastStartOf = (item: Timed): Date | null =>
  item.lastsUntil && new Date(item.lastsUntil.getTime() - durationOf(item))

/**
 * The starts of an item that are from `from` to `until`, in order: of a recurring one all its occurrences, lazily.
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

/** When the occurrence ends that starts at `start`; null for an item without an end. */
export const endOf = (item: Timed, start: Date): Date | null =>
  item.endAt && new Date(start.getTime() + durationOf(item))

/** From `from` up to `to`, which is later and no part of it. Without one of them it is open on that side. */
export interface Window {
  from: Date | undefined
  to: Date | undefined
}

/**
 * The starts of what overlaps a window. An item without a length takes up a millisecond: it overlaps what begins with
 * it, and not what ends there.
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
