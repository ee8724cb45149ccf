/** JavaScript stores a text with such a character in two bytes for each, and any other in one. */
const WIDE = /[^\0-\xff]/

/** About how many bytes a value takes in memory. Exact figures would cost more than they are worth: it bounds a cache. */
export function sizeOf(value: unknown): number {
  if (typeof value === 'string') return 24 + value.length * (WIDE.test(value) ? 2 : 1)
  if (typeof value !== 'object' || value === null) return 8
  if (value instanceof Date) return 48
  let size = 32
  // Objects of one form share their keys.
  for (const member of Object.values(value)) size += 8 + sizeOf(member)
  return size
}
