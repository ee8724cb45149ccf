/** Wire models of the runtime contract's schedule: docs/contracts/runtime.md, "Schedule items". */
import { type Static, t } from 'elysia'
import { ITEM_STATUSES } from '../../../core/agenda/rows.ts'
import { MATERIAL_TYPES } from '../../../core/materials/rows.ts'
import { choice } from '../../../http/choice.ts'
import { integerText } from '../../../http/integer-text.ts'
import { nullable, optional, Timestamp } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'

/** The format is not `date-time`, because a time may lack the offset; then it is in the item's time zone. */
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
        // All fields but the id are null when the user may no longer see the file.
        t.Object({
          material_id: t.Integer(),
          title: nullable(t.String()),
          type: nullable(choice(MATERIAL_TYPES)),
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

/** An occurrence has its own start and end. `recurrence_start` is the start of its series, null for a single item. */
export const ScheduleEntry = t.Object({ ...item, recurrence_start: nullable(Timestamp) })
export type ScheduleEntry = Static<typeof ScheduleEntry>

export const ItemId = t.Object({ id: t.String() })

export const newItemExample = {
  title: '组会',
  start_at: '2030-01-15T09:00:00Z',
  end_at: '2030-01-15T10:00:00Z',
  timezone: 'Asia/Shanghai',
  metadata: {
    color: '#FF6B6B',
    location: '会议室A',
    notes: '记得带身份证',
    attachments: [],
    version: 1,
  },
}

export const itemChangeExample = {
  title: '组会（改期）',
  start_at: '2030-01-16T09:00:00Z',
  end_at: '2030-01-16T10:00:00Z',
}

export const FeedQuery = t.Object({ token: t.Optional(t.String({ maxLength: 200 })) })

export const CalendarFeed = t.Object({ active: t.Boolean(), created_at: nullable(Timestamp) })
export type CalendarFeed = Static<typeof CalendarFeed>

/** `token` is the secret in `url`; the server shows both only once. */
export const NewCalendarFeed = t.Object({ url: t.String(), token: t.String(), created_at: Timestamp })
export type NewCalendarFeed = Static<typeof NewCalendarFeed>

named({ NewScheduleItem, ScheduleItemChange, ScheduleItem, ScheduleEntry, CalendarFeed, NewCalendarFeed })
