import type { timelineEvents } from '../../db/schema/index.ts'
import type { PhotoThumb } from '../photo-files/thumbs.ts'
import type { Viewer } from '../photo-index/visibility.ts'

/** Photos of one event. */
export const MAX_RELATED = 100

/** An event of the timeline. Everybody may see it. */
export type TimelineEvent = typeof timelineEvents.$inferSelect

/** An event with those of its photos that the viewer may see, or the first of them, in their order. */
export interface EventView extends TimelineEvent {
  photos: PhotoThumb[]
}

/** For whom the timeline is read. */
export interface Reader {
  viewer: Viewer
  /** The address of this server as the client knows it. */
  origin: string
}
