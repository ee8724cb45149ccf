import { t } from 'elysia'

/**
 * One of some strings. Elysia's `UnionEnum` would make the first value the default, and so fill in fields that the client
 * left out.
 */
export const choice = <const T extends string>(values: readonly T[], options: { default?: T } = {}) =>
  t.Unsafe<T>(
    t.Union(
      values.map((value) => t.Literal(value)),
      options,
    ),
  )
