/** Schemas that frames of both sockets share. */
import { type TSchema, Type } from '@sinclair/typebox'

export const Instant = Type.String({
  pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z$',
  description: 'RFC 3339 in UTC.',
})
export const Uuid = Type.String({ pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' })
export const Percent = Type.Number({ minimum: 0, maximum: 100 })

/** One of these texts. */
export const oneOf = <const T extends string[]>(...texts: T) =>
  Type.Unsafe<T[number]>(Type.Union(texts.map((text) => Type.Literal(text))))

export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

/** The same schema with a description for the documentation. */
export const described = <T extends TSchema>(schema: T, description: string): T => ({
  ...schema,
  description,
})
