import type { EventData, EventType } from '../../protocol/live/events.ts'

/** For each event of a domain, the function that makes the `data` that clients see. */
export type EventPresenters<Events> = {
  [T in keyof Events & EventType]: (data: Events[T]) => EventData<T>
}
