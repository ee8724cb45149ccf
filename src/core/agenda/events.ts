import type { Item } from './rows.ts'

/** A recurring item as a whole: its start and end are those of the first occurrence. */
export type ItemEvent = Pick<Item, 'title' | 'startAt' | 'endAt' | 'timezone' | 'status' | 'rrule'> & {
  itemId: string
}

export interface AgendaEvents {
  'schedule.created': ItemEvent
  'schedule.updated': ItemEvent
  'schedule.deleted': { itemId: string }
  /** An item, or one of its occurrences, begins in `reminderMinutes`, or sooner when the reminder is late. */
  'schedule.reminder': Pick<ItemEvent, 'itemId' | 'title' | 'startAt' | 'endAt' | 'timezone'> & {
    reminderMinutes: number
  }
}
