import { bigint, timestamp } from 'drizzle-orm/pg-core'

/** Instants are stored with time zone, in milliseconds: what a JavaScript Date can hold. */
export const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: 'date' })

/** Money in integer minor units (cents). */
export const minor = (name: string) => bigint(name, { mode: 'number' })
