import { Kind, TypeRegistry } from '@sinclair/typebox'
import { t } from 'elysia'

interface Range {
  minimum: number
  maximum: number
  default?: number
}

const KIND = 'IntegerText'
TypeRegistry.Set<Range>(
  KIND,
  ({ minimum, maximum }, value) =>
    /^-?\d{1,15}$/.test(String(value)) && Number(value) >= minimum && Number(value) <= maximum,
)

/**
 * A whole number in a query or a path. Elysia's `t.Integer` checks the range only when it decodes, and its error then names
 * neither the field nor the part of the request.
 */
export const integerText = (range: Range) =>
  t
    .Transform(t.Unsafe<string | number>({ [Kind]: KIND, type: 'integer', ...range }))
    .Decode(Number)
    .Encode(String)
