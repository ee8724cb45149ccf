import { t } from 'elysia'
import { integerText } from '../../../http/integer-text.ts'
import { nullable, Timestamp } from '../../../http/models.ts'
import { CURSOR_PATTERN } from '../../../protocol/live/cursor.ts'
import { ResyncReason } from '../../../protocol/live/server-frames.ts'

/** `expires_in` in seconds; `cursor`: the position of the channel when the server made the ticket. */
export const Ticket = t.Object({ ticket: t.String(), expires_in: t.Integer(), cursor: t.String() })

const MAX_WAIT_SECONDS = 30

export const EventsQuery = t.Object({
  cursor: t.Optional(t.String({ pattern: CURSOR_PATTERN, maxLength: 64 })),
  limit: integerText({ minimum: 1, maximum: 500, default: 100 }),
  /** Seconds for which the server waits for an event when there is none. */
  wait: integerText({ minimum: 0, maximum: MAX_WAIT_SECONDS, default: 0 }),
})

const Event = t.Object({
  type: t.String(),
  cursor: t.String(),
  at: Timestamp,
  data: t.Record(t.String(), t.Any()),
})

export const Events = t.Object({
  events: t.Array(Event),
  /** The position after these events. */
  cursor: t.String(),
  has_more: t.Boolean(),
  /**
   * Why the server cannot send the events after the request's cursor; null when it can. The client then reads its data
   * anew and goes on from `cursor`.
   */
  resync: nullable(ResyncReason),
})
