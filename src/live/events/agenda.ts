import type { AgendaEvents, ItemEvent } from '../../core/agenda/events.ts'
import type { EventPresenters } from './presenters.ts'

const presentItem = (item: ItemEvent) => ({
  item_id: item.itemId,
  title: item.title,
  start_at: item.startAt.toISOString(),
  end_at: item.endAt?.toISOString() ?? null,
  timezone: item.timezone,
  status: item.status,
  rrule: item.rrule,
})

export const agendaEvents: EventPresenters<AgendaEvents> = {
  'schedule.created': presentItem,
  'schedule.updated': presentItem,
  'schedule.deleted': ({ itemId }) => ({ item_id: itemId }),
  'schedule.reminder': (reminder) => ({
    item_id: reminder.itemId,
    title: reminder.title,
    start_at: reminder.startAt.toISOString(),
    end_at: reminder.endAt?.toISOString() ?? null,
    timezone: reminder.timezone,
    reminder_minutes: reminder.reminderMinutes,
  }),
}
