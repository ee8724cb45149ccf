/** The bodies that receivers get, for the OpenAPI document: docs/contracts/portfolio.md, "Webhooks". */
import type { TSchema } from '@sinclair/typebox'
import { t } from 'elysia'
import { Timestamp } from '../../../http/models.ts'
import { EVENTS, type EventType } from '../../../protocol/live/events.ts'
import { CategoryDetail } from '../categories/models.ts'
import { PhotoDetail } from '../photos/models.ts'

const Deleted = t.Object({ id: t.Integer() })

/** A photo or category that is gone before the first attempt has what the event says. */
const orKnown = (full: TSchema, type: EventType) => {
  const { photo_id: _, category_id: __, ...rest } = EVENTS[type].properties as Record<string, TSchema>
  return t.Union([full, t.Object({ id: t.Integer(), ...rest })])
}

/** The data of bodies that differs from that of the events. */
const FULL: Partial<Record<EventType, TSchema>> = {
  'photo.created': orKnown(PhotoDetail, 'photo.created'),
  'photo.updated': orKnown(PhotoDetail, 'photo.updated'),
  'photo.deleted': Deleted,
  'category.created': orKnown(CategoryDetail, 'category.created'),
  'category.updated': orKnown(CategoryDetail, 'category.updated'),
  'category.deleted': Deleted,
}

/** The body of each type of message. */
export const MESSAGES = Object.fromEntries(
  Object.entries(EVENTS).map(([type, data]) => [
    type,
    t.Object({
      event: t.Literal(type),
      type: t.Literal(type),
      id: t.String(),
      timestamp: Timestamp,
      data: FULL[type as EventType] ?? data,
      signature: t.String(),
    }),
  ]),
)
