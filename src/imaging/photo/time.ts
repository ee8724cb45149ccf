/** When a photo was taken. */
import type { PhotoFacts } from './protocol.ts'
import type { Tags } from './tags.ts'

/** The date and, where the file says so, the offset of its time zone. */
const TIME = /^(\d{4})[:-](\d\d)[:-](\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?)? ?(Z|[+-]\d\d:?\d\d)?$/
const MAX_OFFSET = 14 * 60
/** There are no photos of earlier years. */
const FIRST_YEAR = 1826

type Time = Pick<PhotoFacts, 'takenAt' | 'takenOffset'>

/** The first time that exists, of EXIF, XMP and IPTC in this order. */
export function readTime(tags: Tags): Time {
  const candidates: [time: string | undefined, offset?: string | undefined][] = [
    [tags.exifText('DateTimeOriginal'), tags.exifText('OffsetTimeOriginal')],
    [tags.exifText('DateTimeDigitized'), tags.exifText('OffsetTimeDigitized')],
    [tags.xmpText('DateTimeOriginal')],
    [tags.xmpText('DateCreated')],
    [tags.xmpText('CreateDate')],
    [iptcTime(tags)],
  ]
  for (const [time, offset] of candidates) {
    const parsed = time === undefined ? undefined : parse(time, offset)
    if (parsed) return parsed
  }
  return { takenAt: null, takenOffset: null }
}

function iptcTime(tags: Tags): string | undefined {
  const date = tags.iptcText('Date Created')
  const time = tags.iptcText('Time Created')
  return date && time ? `${date}T${time}` : date
}

function parse(text: string, separateOffset: string | undefined): Time | undefined {
  const match = TIME.exec(text)
  if (!match) return undefined
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const time = new Date(Date.UTC(year, month - 1, day, hour, minute, second))
  // A date that does not exist, such as 30 February, becomes another one.
  const exists =
    time.getUTCFullYear() === year &&
    time.getUTCMonth() === month - 1 &&
    time.getUTCDate() === day &&
    time.getUTCHours() === hour &&
    time.getUTCMinutes() === minute &&
    time.getUTCSeconds() === second
  if (!exists || year < FIRST_YEAR) return undefined
  const takenOffset = minutes(match[7] ?? separateOffset)
  return {
    takenAt: new Date(time.getTime() - (takenOffset ?? 0) * 60_000).toISOString(),
    takenOffset,
  }
}

/** `+08:00` in minutes. Null when it is no offset that exists. */
function minutes(offset: string | undefined): number | null {
  if (offset === 'Z') return 0
  const [, sign, hours, rest] = /^([+-])(\d\d):?(\d\d)$/.exec(offset ?? '') ?? []
  if (sign === undefined || Number(rest) > 59) return null
  const value = Number(hours) * 60 + Number(rest)
  return value > MAX_OFFSET ? null : sign === '-' ? -value || 0 : value
}
