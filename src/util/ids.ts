/** Ids as clients write them: docs/design.md, "Ids". */

/** A UUID, in any case. PostgreSQL refuses to compare a `uuid` column with any other text. */
export const UUID_PATTERN = '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$'
export const UUID = new RegExp(UUID_PATTERN)

/** An integer that fits a serial column: nine digits are always below 2³¹. */
const INTEGER = /^[1-9]\d{0,8}$/

/**
 * Reads an id that is an integer or a UUID.
 * @returns the number, the UUID in lower case, or undefined for a text that no row can have as its id
 */
export function readId(id: string | number): number | string | undefined {
  const text = String(id)
  if (INTEGER.test(text)) return Number(text)
  return UUID.test(text) ? text.toLowerCase() : undefined
}
