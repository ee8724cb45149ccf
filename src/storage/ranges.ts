/** Conditional and range requests (RFC 9110, chapters 13 and 14) as pure functions of an object's properties. */
import { matchesNone } from '../util/entity-tags.ts'
import type { ByteRange } from './storage.ts'

export type RangeResult = ByteRange | 'unsatisfiable' | undefined

/**
 * Reads a Range field. Undefined: the server answers with the whole object, as RFC 9110, 14.2 requires for a field that is
 * malformed or in another unit, and permits for several ranges.
 */
export function parseRange(field: string | null | undefined, size: number): RangeResult {
  const [, first, last] = /^bytes=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(field?.trim() ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined
  if (first === '') {
    const length = Number(last)
    if (length === 0) return 'unsatisfiable'
    // Content-Range cannot express a part of an empty object.
    return size === 0 ? undefined : { start: Math.max(0, size - length), end: size - 1 }
  }
  const start = Number(first)
  const end = last === '' ? Number.POSITIVE_INFINITY : Number(last)
  if (end < start) return undefined
  return start >= size ? 'unsatisfiable' : { start, end: Math.min(end, size - 1) }
}

/** HTTP dates have whole seconds. */
const seconds = (date: Date) => Math.floor(date.getTime() / 1000)

/** Whether If-Range permits a part (13.1.5): only for the very same bytes, by strong comparison. */
export function matchesIfRange(field: string, object: { etag: string; lastModified: Date }): boolean {
  const value = field.trim()
  if (value.startsWith('W/')) return false
  if (value.startsWith('"')) return value === object.etag
  // A date is weak unless it is old, because two writes within one second have the same date.
  const date = new Date(value)
  return seconds(date) === seconds(object.lastModified) && Date.now() - object.lastModified.getTime() > 1000
}

export type Answer =
  | { status: 200 }
  | { status: 206; range: ByteRange }
  | { status: 304 }
  /** With a Content-Range of `bytes *` and the size. */
  | { status: 416 }

/**
 * How to answer a GET or a HEAD for an object, with the precedence of 13.2.2: a request with If-None-Match has its
 * If-Modified-Since ignored.
 */
export function chooseAnswer(
  { method, headers: fields }: { method: string; headers: Pick<Headers, 'get'> },
  object: { size: number; etag: string; lastModified: Date },
): Answer {
  const noneMatch = fields.get('if-none-match')
  if (noneMatch !== null) {
    if (matchesNone(noneMatch, object.etag)) return { status: 304 }
  } else {
    const since = new Date(fields.get('if-modified-since') ?? Number.NaN)
    if (seconds(object.lastModified) <= seconds(since)) return { status: 304 }
  }
  // Ranges are defined for GET only (14.2).
  if (method !== 'GET') return { status: 200 }
  const ifRange = fields.get('if-range')
  if (ifRange !== null && !matchesIfRange(ifRange, object)) return { status: 200 }
  const range = parseRange(fields.get('range'), object.size)
  if (range === 'unsatisfiable') return { status: 416 }
  return range ? { status: 206, range } : { status: 200 }
}
