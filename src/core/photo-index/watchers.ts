import { holdersOf } from '../accounts/watchers.ts'
import type { Tx } from '../context.ts'
import type { ChannelEvents } from '../events.ts'

type PhotoEventType = Extract<keyof ChannelEvents, `photo.${string}`>

/** An event about a photo, and the user to whom the photo belongs. */
export type PhotoEvent = {
  [T in PhotoEventType]: { ownerId: number; type: T; data: ChannelEvents[T] }
}[PhotoEventType]

/** Emits an event to the owner of a photo and to every active user who holds `photo.*`. */
export const emitPhotoEvent = <T extends PhotoEventType>(
  tx: Tx,
  ownerId: number,
  type: T,
  data: ChannelEvents[T],
): Promise<void> => emitPhotoEvents(tx, [{ ownerId, type, data } as PhotoEvent])

/** The same for many events: one query finds the users for all of them. */
export async function emitPhotoEvents(tx: Tx, events: PhotoEvent[]): Promise<void> {
  if (events.length === 0) return
  const watchers = await holdersOf(tx, 'photo')
  for (const { ownerId, type, data } of events) {
    for (const userId of new Set([ownerId, ...watchers])) tx.emit(userId, type, data)
  }
}
