import { isRawNumber } from './json.ts'

/**
 * PostgreSQL stores neither a zero character nor half of a surrogate pair. JSON can carry both, as escapes; the raw
 * text tells quickly that it carries none.
 */
const SUSPECT = /\\u(?:0000|d[89a-f])/i

/**
 * Levels of objects and arrays in one another. Deeper ones run recursive code out of its stack, and the embedded
 * database, when that happens to it, answers wrongly from then on.
 */
export const MAX_DEPTH = 64

export const isTooDeep = (value: unknown, left = MAX_DEPTH): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !isRawNumber(value) &&
  (left === 0 || Object.values(value).some((part) => isTooDeep(part, left - 1)))

/** Whether some string in a parsed JSON text can't be stored. */
export function isStorable(text: string, value: unknown): boolean {
  if (!SUSPECT.test(text)) return true
  return JSON.stringify(value) === JSON.stringify(clean(value))
}

/** The parsed JSON text with such characters replaced by U+FFFD, and with null for what is nested too deep. */
export const toStorable = (text: string, value: unknown): unknown =>
  SUSPECT.test(text) || isTooDeep(value) ? clean(value) : value

/** The same for a value that was not parsed from JSON text. */
export const storable = <T>(value: T): T => clean(value) as T

/** Text that arrives in chunks, each of which may end within a character. */
export class StorableText {
  private half = ''

  /** The text so far. Half a surrogate pair waits for the next chunk. */
  push(piece: string): string {
    const text = this.half + piece
    this.half = /[\ud800-\udbff]$/.test(text) ? text.slice(-1) : ''
    return storable(this.half ? text.slice(0, -1) : text)
  }

  /** The rest. */
  end(): string {
    return storable(this.half)
  }
}

function clean(value: unknown, left = MAX_DEPTH): unknown {
  if (typeof value === 'string') return value.replaceAll('\0', '\ufffd').toWellFormed()
  if (value === null || typeof value !== 'object' || isRawNumber(value)) return value
  if (left === 0) return null
  if (Array.isArray(value)) return value.map((part) => clean(part, left - 1))
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [clean(key), clean(part, left - 1)]))
}
