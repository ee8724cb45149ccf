import { and, asc, eq, gt, gte, isNotNull, isNull, lt, or, type SQL } from 'drizzle-orm'
import { scheduleItems } from '../../db/schema/index.ts'
import { OverBudget, Slices } from '../../util/slices.ts'
import type { Context } from '../context.ts'
import { AppError, invalid, readTogether } from '../errors.ts'
import { endOf, startsWithin, type Window } from './occurrences.ts'
import type { Item } from './rows.ts'
import { readBound, timezoneNamed } from './times.ts'

/** In ms, for computing the occurrences of a page; a year of a full calendar takes a tenth of it. */
const BUDGET_MS = 2000

/** An item in a list, or one occurrence of a recurring item. */
export interface Entry {
  item: Item
  startAt: Date
  endAt: Date | null
}

export interface ListQuery {
  /** A day or a time as in RFC 3339; absent: the window has no beginning. */
  startAt?: string | undefined
  /** A day is part of the window, a time is not. */
  endAt?: string | undefined
  /** For days, and for times without an offset; UTC unless given. */
  timezone?: string | undefined
  page: number
  limit: number
}

/**
 * One page of the items that overlap a window, in the order of their starts. In a window with a beginning and an end, a
 * recurring item is listed with each of its occurrences. In any other window they may be endless, so the item is listed
 * once, with the first occurrence that overlaps.
 * @throws AppError VALIDATION_FAILED, INVALID_RANGE
 */
export async function listItems(
  ctx: Context,
  userId: number,
  query: ListQuery,
): Promise<{ entries: Entry[]; more: boolean }> {
  const window = readWindow(query)
  const offset = (query.page - 1) * query.limit
  const wanted = offset + query.limit + 1
  const [single, recurring] = await Promise.all([
    ctx.db
      .select()
      .from(scheduleItems)
      .where(and(reaching(userId, window), isNull(scheduleItems.rrule), overlapping(window)))
      .orderBy(asc(scheduleItems.startAt), asc(scheduleItems.id))
      .limit(wanted),
    ctx.db
      .select()
      .from(scheduleItems)
      .where(and(reaching(userId, window), isNotNull(scheduleItems.rrule))),
  ])
  const endless = window.from === undefined || window.to === undefined
  const slices = new Slices(BUDGET_MS)
  const streams = recurring.map((item) => entriesOf(item, window, endless, slices))
  const singles = single.map((item) => ({ item, startAt: item.startAt, endAt: item.endAt }))
  const entries = await firstOf([singles.values(), ...streams], wanted, slices)
  return { entries: entries.slice(offset, wanted - 1), more: entries.length === wanted }
}

function readWindow({ startAt, endAt, timezone }: ListQuery): Window {
  const zone = timezone === undefined ? 'UTC' : timezoneNamed(timezone)
  const [start, end] = readTogether(
    () => (startAt === undefined ? undefined : readBound('start_at', startAt, zone)),
    () => (endAt === undefined ? undefined : readBound('end_at', endAt, zone)),
  )
  if (start && end && end.first < start.first && end.end <= start.first) throw new AppError('INVALID_RANGE')
  // A window of a single moment lasts a millisecond, so that it can overlap something.
  const to = end && new Date(Math.max(end.end.getTime(), (start?.first.getTime() ?? 0) + 1))
  return { from: start?.first, to }
}

/** Items whose first occurrence begins before the window ends, and whose last one may reach into it. */
const reaching = (userId: number, { from, to }: Window): SQL | undefined =>
  and(
    eq(scheduleItems.userId, userId),
    isNull(scheduleItems.deletedAt),
    to && lt(scheduleItems.startAt, to),
    from && or(isNull(scheduleItems.lastsUntil), gte(scheduleItems.lastsUntil, from)),
  )

/** Leaves out items that end in the moment in which the window begins. */
const overlapping = ({ from }: Window): SQL | undefined =>
  from && or(gte(scheduleItems.startAt, from), gt(scheduleItems.lastsUntil, from))

async function* entriesOf(item: Item, window: Window, once: boolean, slices: Slices): AsyncGenerator<Entry> {
  for await (const startAt of startsWithin(item, window, slices)) {
    yield { item, startAt, endAt: endOf(item, startAt) }
    if (once) return
  }
}

const comesFirst = (a: Entry, b: Entry): boolean =>
  a.startAt < b.startAt || (a.startAt.getTime() === b.startAt.getTime() && a.item.id < b.item.id)

/**
 * Merges sorted streams and returns their first entries.
 * @throws AppError VALIDATION_FAILED when it takes longer than BUDGET_MS
 */
async function firstOf(
  streams: (Iterator<Entry> | AsyncIterator<Entry>)[],
  wanted: number,
  slices: Slices,
): Promise<Entry[]> {
  const next = async (stream: Iterator<Entry> | AsyncIterator<Entry>) => {
    await slices.step()
    return (await stream.next()).value as Entry | undefined
  }
  const entries: Entry[] = []
  try {
    const heads: (Entry | undefined)[] = []
    for (const stream of streams) heads.push(await next(stream))
    while (entries.length < wanted) {
      let first = -1
      for (const [n, head] of heads.entries()) {
        if (head && (first < 0 || comesFirst(head, heads[first]!))) first = n
      }
      if (first < 0) break
      entries.push(heads[first]!)
      heads[first] = await next(streams[first]!)
    }
  } catch (error) {
    throw error instanceof OverBudget ? invalid('end_at', 'window_cost') : error
  }
  return entries
}
