import { dataOf } from '../client/index.ts'
import type { Demo } from './furnish.ts'

const REMINDER_MINUTES = 10

/** Appointments of this week, one that recurs, and one with a reminder in two minutes. */
export async function furnishSchedule({ user, state }: Demo): Promise<void> {
  const items = user.runtime['schedule-items']
  const now = Temporal.Now.plainDateTimeISO().round({ smallestUnit: 'minute', roundingMode: 'floor' })
  const timezone = Temporal.Now.timeZoneId()
  const monday = now.toPlainDate().subtract({ days: now.dayOfWeek - 1 })
  const at = (day: number, time: string) => `${monday.add({ days: day })}T${time}`
  const week = [
    {
      title: 'Stand-up',
      start_at: at(0, '09:30'),
      end_at: at(0, '09:45'),
      rrule: 'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR',
      metadata: { color: '#2F80ED', location: 'Room 4' },
    },
    {
      title: 'Review of the photos',
      start_at: at(1, '14:00'),
      end_at: at(1, '15:00'),
      metadata: { color: '#27AE60', notes: 'Which ones go on the first page?' },
    },
    { title: 'Lunch with Mei', start_at: at(2, '12:30'), end_at: at(2, '13:30') },
    {
      title: 'Maintenance of the GPU servers',
      start_at: at(3, '18:00'),
      end_at: at(3, '20:00'),
      reminder_minutes: 60,
      metadata: { color: '#EB5757' },
    },
    { title: 'Week in review', start_at: at(4, '16:00'), end_at: at(4, '16:45') },
    { title: 'Hike', start_at: at(5, '10:00'), end_at: at(5, '15:00'), metadata: { color: '#F2994A' } },
  ]
  for (const item of week) {
    await state.once(item.title, () => dataOf(items.post({ ...item, timezone })))
  }
  await state.once(`reminder of ${now.toPlainDate()}`, () => {
    const start = now.add({ minutes: REMINDER_MINUTES + 2 })
    return dataOf(
      items.post({
        title: 'Coffee',
        start_at: String(start),
        end_at: String(start.add({ minutes: 15 })),
        reminder_minutes: REMINDER_MINUTES,
        timezone,
      }),
    )
  })
}
