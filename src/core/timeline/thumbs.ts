import { asc } from 'drizzle-orm'
import { isOneOf } from '../../db/arrays.ts'
import { timelineEventPhotos } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { type PhotoThumb, photoThumbs } from '../photo-files/thumbs.ts'
import type { EventView, Reader, TimelineEvent } from './rows.ts'

/** The photos with these ids and the photos of these events, as far as the reader may see them. One query fetches them all. */
export async function withThumbs(
  ctx: Context,
  { viewer, origin }: Reader,
  photoIds: number[],
  events: TimelineEvent[],
): Promise<{ photos: PhotoThumb[]; events: EventView[] }> {
  const related = await photoIdsOf(ctx, events)
  const ids = [...new Set([...photoIds, ...[...related.values()].flat()])]
  const thumbs = await photoThumbs(ctx, origin, viewer, ids)
  const pick = (ids: number[]) => ids.flatMap((id) => thumbs.get(id) ?? [])
  return {
    photos: pick(photoIds),
    events: events.map((event) => ({ ...event, photos: pick(related.get(event.id)!) })),
  }
}

/** By the ids of the events, in the order of each event. */
async function photoIdsOf(ctx: Context, events: TimelineEvent[]): Promise<Map<number, number[]>> {
  const ids = new Map(events.map(({ id }): [number, number[]] => [id, []]))
  if (events.length === 0) return ids
  const rows = await ctx.db
    .select({ eventId: timelineEventPhotos.eventId, photoId: timelineEventPhotos.photoId })
    .from(timelineEventPhotos)
    .where(isOneOf(timelineEventPhotos.eventId, ids.keys()))
    .orderBy(asc(timelineEventPhotos.position))
  for (const { eventId, photoId } of rows) ids.get(eventId)!.push(photoId)
  return ids
}
