/**
 * The fields that a user has changed, to be sent alone: what others have changed since the form was opened stays.
 * @param before the same fields as the form has begun with
 */
export const changed = <T extends object>(now: T, before: { [K in keyof T]: unknown }): Partial<T> =>
  Object.fromEntries(
    Object.entries(now).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name as keyof T]),
    ),
  ) as Partial<T>
