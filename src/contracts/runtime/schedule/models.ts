/** Wire models of the runtime contract's schedule: docs/contracts/runtime.md, "Schedule items". */
import { type Static, t } from 'elysia'
import { ITEM_STATUSES } from '../../../core/agenda/items.ts'
import { choice } from '../../../http/choice.ts'
import { integerText } from '../../../http/integer-text.ts'
import { named } from '../../../http/openapi/schemas.ts'
import { nullable, optional } from '../models.ts'

const Timestamp = t.String({ format: 'date-time' })

/** Not of `format: date-time`: a time without an offset is one too, in the item's time zone. */
const Time = t.String({ minLength: 1, maxLength: 40 })
const Timezone = t.String({ minLength: 1, maxLength: 64 })
const FOUR_WEEKS_MINUTES = 40_320

const fields = {
  title: t.String({ minLength: 1, maxLength: 255, pattern: '\\S' }),
  description: optional(t.String({ maxLength: 2000 })),
  start_at: Time,
  end_at: optional(Time),
  timezone: optional(Timezone),
  metadata: optional(t.Record(t.String(), t.Unknown())),
  rrule: optional(t.String({ minLength: 1, maxLength: 500 })),
  exceptions: optional(t.Array(Time, { maxItems: 500 })),
  reminder_minutes: optional(t.Integer({ minimum: 0, maximum: FOUR_WEEKS_MINUTES })),
}
export const NewScheduleItem = t.Object(fields)
export const ScheduleItemChange = t.Object({
  ...fields,
  title: t.Optional(fields.title),
  start_at: t.Optional(fields.start_at),
  status: t.Optional(choice(ITEM_STATUSES)),
})
export type ScheduleItemChange = Static<typeof ScheduleItemChange>

export const MAX_PAGE = 10

export const ScheduleQuery = t.Object({
  start_at: t.Optional(Time),
  end_at: t.Optional(Time),
  timezone: t.Optional(Timezone),
  page: integerText({ minimum: 1, maximum: MAX_PAGE, default: 1 }),
  limit: integerText({ minimum: 1, maximum: 500, default: 200 }),
})

const item = {
  id: t.String({ format: 'uuid' }),
  title: t.String(),
  description: nullable(t.String()),
  start_at: Timestamp,
  end_at: nullable(Timestamp),
  timezone: t.String(),
  metadata: t.Object({
    version: t.Optional(t.Integer({ minimum: 1 })),
    color: t.Optional(t.String()),
    location: t.Optional(t.String()),
    notes: t.Optional(t.String()),
    attachments: t.Optional(
      t.Array(
        // All but the id are null once the file can't be seen any more.
        t.Object({
          material_id: t.Integer(),
          title: nullable(t.String()),
          type: nullable(choice(['video', 'pdf'])),
          file_format: nullable(choice(['mp4', 'webm', 'pdf'])),
          file_size: nullable(t.Integer()),
        }),
      ),
    ),
  }),
  status: choice(ITEM_STATUSES),
  source_type: choice(['manual', 'agent']),
  rrule: nullable(t.String()),
  exceptions: t.Array(Timestamp),
  reminder_minutes: nullable(t.Integer()),
  created_at: Timestamp,
  updated_at: Timestamp,
}
export const ScheduleItem = t.Object(item)
export type ScheduleItem = Static<typeof ScheduleItem>

/** An occurrence has its own start and end; `recurrence_start` is that of its series, null for what happens once. */
export const ScheduleEntry = t.Object({ ...item, recurrence_start: nullable(Timestamp) })
export type ScheduleEntry = Static<typeof ScheduleEntry>

export const CalendarFeed = t.Object({ active: t.Boolean(), created_at: nullable(Timestamp) })
export const NewCalendarFeed = t.Object({ url: t.String(), token: t.String(), created_at: Timestamp })

named({ NewScheduleItem, ScheduleItemChange, ScheduleItem, ScheduleEntry, CalendarFeed, NewCalendarFeed })
