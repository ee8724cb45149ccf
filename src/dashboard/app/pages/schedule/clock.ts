/**
 * Times as a clock in a time zone shows them: milliseconds since 1970-01-01 00:00 of that clock. On such a clock every day has 24
 * hours, so days and hours are plain arithmetic; only the way to and from moments knows time zones.
 */
export type Wall = number

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

const formats = new Map<string, Intl.DateTimeFormat>()

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    formats.set(zone, format)
  }
  return format
}

/** @param moment milliseconds since the epoch */
export function wallOf(moment: number, zone: string): Wall {
  const part = Object.fromEntries(
    formatOf(zone)
      .formatToParts(moment)
      .map(({ type, value }) => [type, Number(value)]),
  ) as Record<'year' | 'month' | 'day' | 'hour' | 'minute' | 'second', number>
  return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second)
}

/** The moment at which the clock shows it: the earlier of two; of a time that the clock skips, as much later. */
export function momentOf(wall: Wall, zone: string): number {
  const offsetAt = (moment: number) => wallOf(moment, zone) - moment
  const [early, late] = [wall - offsetAt(wall - DAY), wall - offsetAt(wall + DAY)]
  return wallOf(early, zone) !== wall && wallOf(late, zone) === wall ? late : early
}

/** Days since 1970-01-01. */
export const dayOf = (wall: Wall): number => Math.floor(wall / DAY)
export const minutesOf = (wall: Wall): number => Math.floor((wall - dayOf(wall) * DAY) / MINUTE)

/** 1970-01-01 was a Thursday. 0: Monday. */
export const weekdayOf = (day: number): number => (((day + 3) % 7) + 7) % 7
export const mondayOf = (day: number): number => day - weekdayOf(day)

/** `2027-03-22`. */
export const dayText = (day: number): string => new Date(day * DAY).toISOString().slice(0, 10)
/** `2027-03-22T09:00`, as inputs have it. */
export const wallText = (wall: Wall): string => new Date(wall).toISOString().slice(0, 16)
/** Undefined when the text is none. */
export function readWall(text: string): Wall | undefined {
  const wall = Date.parse(`${text}Z`)
  return Number.isNaN(wall) ? undefined : wall
}
/** Undefined for a text that is no day of the years 1900 to 2199: `wallOf` reads years below 100 wrongly. */
export function readDay(text: string): number | undefined {
  const at = /^(19|20|21)\d\d-\d\d-\d\d$/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? undefined : at / DAY
}
