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

export function isTooDeep(value: unknown, left = MAX_DEPTH): boolean {
  if (typeof value !== 'object' || value === null || isRawNumber(value)) return false
  if (left === 0) return true
  // `Object.values` of a long list takes a hundred times as long as the list itself.
  for (const part of Array.isArray(value) ? value : Object.values(value))
    if (isTooDeep(part, left - 1)) return true
  return false
}

/** So many fields are named; a body of a megabyte may have a hundred thousand. */
const MOST_FIELDS = 20

/** The dotted paths of the fields of a parsed JSON text whose texts, or whose names, can't be stored. */
export function unstorableFields(text: string, value: unknown): string[] {
  const found: string[] = []
  if (SUSPECT.test(text)) collectFields(value, [], found)
  return found
}

/** @param path the names of the fields around `value` */
function collectFields(value: unknown, path: (string | number)[], found: string[]): void {
  if (found.length === MOST_FIELDS) return
  if (typeof value === 'string' && clean(value) !== value) found.push(path.join('.'))
  if (typeof value !== 'object' || value === null || isRawNumber(value)) return
  for (const [key, part] of Array.isArray(value) ? value.entries() : Object.entries(value)) {
    // A name that can't be stored is no field that an answer could name.
    if (typeof key === 'string' && clean(key) !== key) found.push(path.join('.'))
    else {
      path.push(key)
      collectFields(part, path, found)
      path.pop()
    }
  }
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
