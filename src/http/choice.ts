import { t } from 'elysia'

/**
 * One of some strings. Not Elysia's `UnionEnum`: that one makes the first value the default, and so fills in fields that
 * the client left out.
 */
export const choice = <const T extends string>(values: readonly T[], options: { default?: T } = {}) =>
  t.Unsafe<T>(
    t.Union(
      values.map((value) => t.Literal(value)),
      options,
    ),
  )
