/** Models that several contracts share. */
import { type TSchema, t } from 'elysia'

/** RFC 3339, in UTC. */
export const Timestamp = t.String({ format: 'date-time' })

export const nullable = <T extends TSchema>(schema: T) => t.Union([schema, t.Null()])

/** The data of an answer that has nothing to say. */
export const Nothing = t.Object({})
