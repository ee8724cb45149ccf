/** Models that several contracts share. */
import { type IntegerOptions, type TSchema, Type } from '@sinclair/typebox'
import { t } from 'elysia'
import { UUID_PATTERN } from '../util/ids.ts'
import { integerText } from './integer-text.ts'
import { named, wrapping } from './openapi/schemas.ts'
import { typed } from './typed.ts'

/** RFC 3339, in UTC. */
export const Timestamp = t.String({ format: 'date-time' })

export const nullable = <T extends TSchema>(schema: T) => t.Union([schema, t.Null()])

/** A whole number in a JSON body. Elysia's `t.Integer` also takes strings, such as `"0x10"`. */
export const wholeNumber = (options: IntegerOptions) => Type.Integer(options)

/** A field that a client may leave out, or send as null. */
export const optional = <T extends TSchema>(schema: T) => t.Optional(nullable(schema))

/** The data of an answer without data. */
export const Nothing = t.Object({})
named({ Empty: Nothing })

/** An email that a person types. */
export const Email = t.String({ format: 'email', maxLength: 254, ...typed('email') })

/** The minimum of the documents of runtime, factory and study; `PASSWORD_MIN_LENGTH` may ask for more. */
export const Password = t.String({ minLength: 6, maxLength: 200 })

/** The same in factory's and study's documents. */
export const PasswordChange = t.Object({
  current_password: t.String({ minLength: 1, maxLength: 200 }),
  new_password: Password,
})
export const PASSWORD_CHANGE = { current_password: 'password123', new_password: 'new_password' }

/** A UUID that a client sends, in any case. */
export const Uuid = t.String({ pattern: UUID_PATTERN })

/** The fields of the query of a route that answers with a `Page`. */
export const pageQuery = {
  page: integerText({ minimum: 1, maximum: 1_000_000, default: 1 }),
  page_size: integerText({ minimum: 1, maximum: 100, default: 20 }),
}
export const PageQuery = t.Object(pageQuery)

export const Page = <T extends Parameters<typeof t.Array>[0]>(item: T) =>
  wrapping(
    item,
    'Page',
    t.Object({
      items: t.Array(item),
      total: t.Integer(),
      page: t.Integer(),
      page_size: t.Integer(),
      total_pages: t.Integer(),
    }),
  )

/** @param total how many items all pages have together */
export const pageOf = <T>(items: T[], total: number, query: { page: number; page_size: number }) => ({
  items,
  total,
  page: query.page,
  page_size: query.page_size,
  total_pages: Math.ceil(total / query.page_size),
})
