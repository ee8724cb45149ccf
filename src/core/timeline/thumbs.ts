import { and, eq, sql } from 'drizzle-orm'
import { intArray } from '../../db/arrays.ts'
import { photoIndex, timelineEventPhotos } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { type PhotoThumb, photoThumbs } from '../photo-files/thumbs.ts'
import { type Viewer, visibleTo } from '../photo-index/visibility.ts'
import type { EventView, Reader, TimelineEvent } from './rows.ts'

/**
 * The photos with these ids and the photos of these events, as far as the reader may see them. One query fetches them all.
 * @param each how many photos an event shows at most, the first ones in its order
 */
export async function withThumbs(
  ctx: Context,
  { viewer, origin }: Reader,
  photoIds: number[],
  events: TimelineEvent[],
  each: number,
): Promise<{ photos: PhotoThumb[]; events: EventView[] }> {
  const related = await photoIdsOf(ctx, viewer, events, each)
  const ids = [...new Set([...photoIds, ...[...related.values()].flat()])]
  const thumbs = await photoThumbs(ctx, origin, viewer, ids)
  const pick = (ids: number[]) => ids.flatMap((id) => thumbs.get(id) ?? [])
  return {
    photos: pick(photoIds),
    events: events.map((event) => ({ ...event, photos: pick(related.get(event.id) ?? []) })),
  }
}

/** By the ids of the events, in the order of each event. */
async function photoIdsOf(
  ctx: Context,
  viewer: Viewer,
  events: TimelineEvent[],
  each: number,
): Promise<Map<number, number[]>> {
  if (events.length === 0 || each === 0) return new Map()
  const ofEvent = eq(timelineEventPhotos.eventId, sql`event.id`)
  const rows = await ctx.db.execute<{ id: number; photoId: number }>(sql`
    select event.id, shown.photo_id as "photoId" from unnest(${intArray(events.map(({ id }) => id))}) as event(id)
    cross join lateral (
      select ${photoIndex.photoId}, position from ${timelineEventPhotos}
      join ${photoIndex} on ${photoIndex.photoId} = ${timelineEventPhotos.photoId}
      where ${and(ofEvent, visibleTo(viewer))} order by position limit ${each}
    ) shown order by event.id, shown.position`)
  const ids = new Map<number, number[]>()
  for (const { id, photoId } of rows) ids.getOrInsertComputed(id, () => []).push(photoId)
  return ids
}
