import { bigint, customType, timestamp } from 'drizzle-orm/pg-core'
import { camelKeys, snakeKeys } from '../../util/case.ts'

/** Instants are stored with time zone and in milliseconds, which is what a JavaScript Date can hold. */
export const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: 'date' })

/** Money in integer minor units (cents). */
export const minor = (name: string) => bigint(name, { mode: 'number' })

type Flat = Record<string, unknown>
const eachKeys = (rename: (object: Flat) => Flat, value: unknown) =>
  Array.isArray(value) ? value.map(rename) : rename(value as Flat)

/**
 * JSON whose fields are named in snake_case in the database and in camelCase in the code: a flat object or a list of flat
 * objects. Raw SQL that reads or writes such a column names fields as the database does.
 */
export const snakeJson = <T extends object>(name: string, type: 'json' | 'jsonb') =>
  customType<{ data: T; driverData: unknown }>({
    dataType: () => type,
    toDriver: (value) => JSON.stringify(eachKeys(snakeKeys, value)),
    fromDriver: (value) => eachKeys(camelKeys, value) as T,
  })(name)

export const bytes = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' })

/** Written and read by SQL alone. */
export const tsvector = customType<{ data: never }>({ dataType: () => 'tsvector' })
