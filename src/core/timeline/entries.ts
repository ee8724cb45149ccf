/** The events of the timeline. `events.ts` of a domain has events of the live channel, so this file has another name. */
import { and, asc, desc, eq, gte, inArray, lt, type SQL, sql } from 'drizzle-orm'
import { photos, timelineEventPhotos, timelineEvents } from '../../db/schema/index.ts'
import { isCalendarDate } from '../../util/calendar-date.ts'
import { ownerExists } from '../accounts/owners.ts'
import type { Actor } from '../accounts/principals.ts'
import { type AuditedBy, audit, fieldsOf } from '../audit/audit.ts'
import type { Context, Tx } from '../context.ts'
import { AppError, invalid, notFound } from '../errors.ts'
import { transaction } from '../transaction.ts'
import { type EventView, MAX_RELATED, type Reader, type TimelineEvent } from './rows.ts'
import { withThumbs } from './thumbs.ts'

/** The timeline shows all of them. Creations at the same moment may exceed the limit by a few. */
const MAX_EVENTS = 1000

/** The fields of an event as its author writes them. */
export interface EventInput {
  title: string
  description?: string | undefined
  /** YYYY-MM-DD */
  date: string
  type: string
  /** Ids. */
  relatedPhotos?: number[] | undefined
}

/**
 * @returns its id
 * @throws AppError VALIDATION_FAILED, UNKNOWN_PHOTOS, TOO_MANY_EVENTS
 */
export function createEvent(ctx: Context, who: Actor, input: EventInput): Promise<number> {
  const { relatedPhotos = [], ...values } = checked(input)
  return transaction(ctx, async (tx) => {
    if ((await tx.db.$count(timelineEvents)) >= MAX_EVENTS)
      throw new AppError('TOO_MANY_EVENTS', { params: { limit: MAX_EVENTS } })
    const [event] = await tx.db
      .insert(timelineEvents)
      .values({ ...values, userId: who.userId })
      .returning({ id: timelineEvents.id })
    await relate(tx, event!.id, await lockPhotos(tx, relatedPhotos))
    const details = { title: input.title }
    audit(tx, who, { action: 'timeline_event.created', target: event!.id, subject: who.userId, details })
    return event!.id
  })
}

/**
 * Changes the given fields. `relatedPhotos` replaces all of them.
 * @throws AppError NOT_FOUND, VALIDATION_FAILED, UNKNOWN_PHOTOS
 */
export async function updateEvent(
  ctx: Context,
  by: AuditedBy,
  id: number,
  change: Partial<EventInput>,
): Promise<void> {
  const { relatedPhotos, ...values } = checked(change)
  await transaction(ctx, async (tx) => {
    const [event] = await tx.db
      .update(timelineEvents)
      .set({ ...values, updatedAt: sql`now()` })
      .where(eq(timelineEvents.id, id))
      .returning({ userId: timelineEvents.userId })
    if (!event) throw notFound('timeline_event', id)
    const details = { fields: fieldsOf(change) }
    audit(tx, by, { action: 'timeline_event.updated', target: id, subject: event.userId, details })
    if (!relatedPhotos) return
    // Photos first: the deletion of a photo locks it before it deletes rows of `timeline_event_photos`.
    const photoIds = await lockPhotos(tx, relatedPhotos)
    await tx.db.delete(timelineEventPhotos).where(eq(timelineEventPhotos.eventId, id))
    await relate(tx, id, photoIds)
  })
}

/** @throws AppError NOT_FOUND */
export async function deleteEvent(ctx: Context, by: AuditedBy, id: number): Promise<void> {
  await transaction(ctx, async (tx) => {
    const [event] = await tx.db.delete(timelineEvents).where(eq(timelineEvents.id, id)).returning()
    if (!event) throw notFound('timeline_event', id)
    const details = { title: event.title }
    audit(tx, by, { action: 'timeline_event.deleted', target: id, subject: event.userId, details })
  })
}

/** @throws AppError NOT_FOUND */
export async function getEvent(ctx: Context, reader: Reader, id: number): Promise<EventView> {
  const events = await ctx.db.select().from(timelineEvents).where(eq(timelineEvents.id, id))
  const [event] = (await withThumbs(ctx, reader, [], events, MAX_RELATED)).events
  if (!event) throw notFound('timeline_event', id)
  return event
}

/** The events of all years, of a year or of a month, the newest first. */
export const eventRows = (ctx: Context, year?: number, month?: number): Promise<TimelineEvent[]> =>
  ctx.db
    .select()
    .from(timelineEvents)
    .where(year === undefined ? undefined : within(year, month))
    .orderBy(desc(timelineEvents.date), desc(timelineEvents.id))

function within(year: number, month: number | undefined): SQL | undefined {
  const first = sql`make_date(${year}::int, ${month ?? 1}::int, 1)`
  const length = month === undefined ? sql`interval '1 year'` : sql`interval '1 month'`
  return and(gte(timelineEvents.date, first), lt(timelineEvents.date, sql`${first} + ${length}`))
}

function checked<T extends Partial<EventInput>>(input: T): T {
  if (input.date !== undefined && !isCalendarDate(input.date)) throw invalid('date', 'calendar_date')
  return input
}

/**
 * Locks photos, so that none of them is deleted before the event refers to it.
 * @returns their ids in the order of the input, each once
 */
async function lockPhotos(tx: Tx, photoIds: number[]): Promise<number[]> {
  const ids = [...new Set(photoIds)]
  if (ids.length === 0) return []
  const rows = await tx.db
    .select({ id: photos.id })
    .from(photos)
    .where(and(inArray(photos.id, ids), ownerExists(photos.userId)))
    .orderBy(asc(photos.id))
    .for('key share')
  const known = new Set(rows.map(({ id }) => id))
  const unknown = ids.filter((id) => !known.has(id))
  if (unknown.length > 0) throw new AppError('UNKNOWN_PHOTOS', { params: { photos: unknown } })
  return ids
}

async function relate(tx: Tx, eventId: number, photoIds: number[]): Promise<void> {
  if (photoIds.length === 0) return
  await tx.db
    .insert(timelineEventPhotos)
    .values(photoIds.map((photoId, position) => ({ eventId, photoId, position })))
}
