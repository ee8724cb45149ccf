import { Kind, TypeRegistry } from '@sinclair/typebox'
import { t } from 'elysia'

interface Range {
  minimum: number
  maximum: number
  default?: number
}

const KIND = 'QueryInteger'
TypeRegistry.Set<Range>(
  KIND,
  ({ minimum, maximum }, value) =>
    /^-?\d{1,15}$/.test(String(value)) && Number(value) >= minimum && Number(value) <= maximum,
)

/**
 * A whole number in a query. Not Elysia's `t.Integer`: that one looks at the range only when it decodes, and its error
 * then no longer says which field it is about, nor that it stood in the query.
 */
export const queryInteger = (range: Range) =>
  t
    .Transform(t.Unsafe<string | number>({ [Kind]: KIND, type: 'integer', ...range }))
    .Decode(Number)
    .Encode(String)
