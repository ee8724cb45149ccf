/**
 * PostgreSQL stores neither a zero character nor half of a surrogate pair. JSON can carry both, as escapes; the raw
 * text tells quickly that it carries none.
 */
const SUSPECT = /\\u(?:0000|d[89a-f])/i

/** Whether some string in a parsed JSON text can't be stored. */
export function isStorable(text: string, value: unknown): boolean {
  if (!SUSPECT.test(text)) return true
  return JSON.stringify(value) === JSON.stringify(clean(value))
}

/** The parsed JSON text with such characters replaced by U+FFFD. */
export const toStorable = (text: string, value: unknown): unknown =>
  SUSPECT.test(text) ? clean(value) : value

function clean(value: unknown): unknown {
  if (typeof value === 'string') return value.replaceAll('\0', '\ufffd').toWellFormed()
  if (Array.isArray(value)) return value.map(clean)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [clean(key), clean(part)]))
}
