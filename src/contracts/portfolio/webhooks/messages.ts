/** The bodies that receivers get, for the OpenAPI document: docs/contracts/portfolio.md, "Webhooks". */
import type { TSchema } from '@sinclair/typebox'
import { t } from 'elysia'
import { PING } from '../../../core/webhooks/ping.ts'
import { Timestamp } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'
import { EVENTS, type EventType } from '../../../protocol/live/events.ts'
import { CategoryDetail } from '../categories/models.ts'
import { PhotoDetail } from '../photos/models.ts'

const Deleted = t.Object({ id: t.Integer() })

/** What the event says, with the id under the name that the full form has. */
const known = (type: EventType) => {
  const { photo_id: _, category_id: __, ...rest } = EVENTS[type].properties as Record<string, TSchema>
  return t.Object({ id: t.Integer(), ...rest })
}
/** A photo or category that was gone before the first attempt. */
const GonePhoto = known('photo.created')
const GoneCategory = known('category.created')
named({ GonePhoto, GoneCategory })

const ShownPhoto = t.Union([PhotoDetail, GonePhoto])
const ShownCategory = t.Union([CategoryDetail, GoneCategory])

/** The data of bodies that differs from that of the events. */
const SHOWN: Partial<Record<EventType, TSchema>> = {
  'photo.created': ShownPhoto,
  'photo.updated': ShownPhoto,
  'photo.deleted': Deleted,
  'category.created': ShownCategory,
  'category.updated': ShownCategory,
  'category.deleted': Deleted,
}

const DATA: Record<string, TSchema> = { ...EVENTS, ...SHOWN, [PING]: t.Object({ webhook_id: t.Integer() }) }

/** The body of each type of message. */
export const MESSAGES = Object.fromEntries(
  Object.entries(DATA).map(([type, data]) => [
    type,
    t.Object({
      event: t.Literal(type),
      type: t.Literal(type),
      id: t.String(),
      timestamp: Timestamp,
      data,
      signature: t.String(),
    }),
  ]),
)
