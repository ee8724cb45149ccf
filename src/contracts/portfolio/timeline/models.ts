/** Wire models of the timeline: docs/contracts/portfolio.md, "Timeline". */
import { type Static, t } from 'elysia'
import { MAX_RELATED } from '../../../core/timeline/rows.ts'
import { integerText } from '../../../http/integer-text.ts'
import { nullable, optional, Timestamp } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'
import { typed } from '../../../http/typed.ts'
import { photoPageQuery } from '../contract.ts'
import { IdNumber } from '../ids.ts'

const year = integerText({ minimum: 1, maximum: 9999 })
const includePhotos = { include_photos: t.Boolean({ default: true }) }

export const TimelineQuery = t.Object({
  year: t.Optional(year),
  ...includePhotos,
  /** Of each month and of each event. */
  photos_limit: integerText({ minimum: 1, maximum: 20, default: 5 }),
})

export const MonthOfYear = t.Object({ year, month: integerText({ minimum: 1, maximum: 12 }) })
export const MonthQuery = t.Object({ ...includePhotos, ...photoPageQuery })

const event = {
  title: t.String({ minLength: 1, maxLength: 200, ...typed('name') }),
  description: optional(t.String({ maxLength: 2000 })),
  /** YYYY-MM-DD */
  date: t.String(),
  /** In the author's own words, such as `milestone` or `achievement`. */
  type: t.String({ minLength: 1, maxLength: 50, ...typed('name') }),
  /** Ids. */
  related_photos: t.Optional(t.Array(IdNumber, { maxItems: MAX_RELATED })),
}
export const NewTimelineEvent = t.Object({ ...event, type: t.Optional(event.type) })
export const TimelineEventChange = t.Object({
  ...event,
  title: t.Optional(event.title),
  date: t.Optional(event.date),
  type: t.Optional(event.type),
})
export type TimelineEventChange = Static<typeof TimelineEventChange>

const thumb = {
  id: t.Integer(),
  title: t.String(),
  thumb_url: t.String(),
  width: nullable(t.Integer()),
  height: nullable(t.Integer()),
  placeholder: nullable(t.String()),
}
export const TimelinePhoto = t.Object({ ...thumb, taken_at: nullable(Timestamp) })
export type TimelinePhoto = Static<typeof TimelinePhoto>

const shownEvent = {
  id: t.Integer(),
  title: t.String(),
  description: t.String(),
  date: t.String({ format: 'date' }),
  type: t.String(),
  photos: t.Array(TimelinePhoto),
  created_at: Timestamp,
  updated_at: Timestamp,
}
/** An event among others, with the first of its photos. */
const TimelineListedEvent = t.Object(shownEvent)
export type TimelineListedEvent = Static<typeof TimelineListedEvent>

export const TimelineEvent = t.Object({
  ...shownEvent,
  /** The ids of `photos`. */
  related_photos: t.Array(t.Integer()),
})
export type TimelineEvent = Static<typeof TimelineEvent>

const month = {
  month: t.Integer(),
  month_name: t.String(),
  photo_count: t.Integer(),
  photos: t.Array(TimelinePhoto),
  events: t.Array(TimelineListedEvent),
}
const TimelineMonth = t.Object(month)
export const TimelineMonthDetail = t.Object({ year: t.Integer(), ...month })
export type TimelineMonthDetail = Static<typeof TimelineMonthDetail>

export const Timeline = t.Object({
  years: t.Array(t.Object({ year: t.Integer(), photo_count: t.Integer(), months: t.Array(TimelineMonth) })),
  stats: t.Object({
    total_photos: t.Integer(),
    /** The first and the last year; empty without photos. */
    year_range: t.Array(t.Integer()),
    most_active_month: nullable(t.Object({ year: t.Integer(), month: t.Integer(), count: t.Integer() })),
    photos_by_year: t.Array(t.Object({ year: t.Integer(), count: t.Integer() })),
  }),
})
export type Timeline = Static<typeof Timeline>

named({ TimelinePhoto, TimelineListedEvent, TimelineEvent, TimelineMonth, TimelineMonthDetail, Timeline })
