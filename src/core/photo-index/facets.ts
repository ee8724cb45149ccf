/** Counts what `photo_index.facets` says of many photos. A database needs several times as long for it as for finding them. */

/** How many photos have each value. */
export interface FacetCounts {
  years: Map<string, number>
  /** Photos have few combinations of categories. The ids are as in the lines: `3,11`, or nothing for no category. */
  combinations: Map<string, number>
  tagIds: Map<number, number>
}

/** Photos, and by what they are sorted: the one at `i` is `ids[i]`, and its time is `times[i]`. */
export interface TimedPhotos {
  ids: number[]
  /** When they were taken, or created: milliseconds since the year 1. */
  times: number[]
}

export const noCounts = (): FacetCounts => ({ years: new Map(), combinations: new Map(), tagIds: new Map() })

const COMMA = 44
const NEWLINE = 10

/**
 * Adds the photos of these lines to the counts. It reads the many tags by their characters, because splitting takes five times
 * as long.
 * @param lines values of `photo_index.facets` with newlines between them. Each has the time, the id, the year, the categories and
 *   the tags, with spaces between these and commas between the members of a list
 */
export function countFacets(lines: string, counts: FacetCounts): TimedPhotos {
  const photos: TimedPhotos = { ids: [], times: [] }
  let at = 0
  const untilSpace = () => {
    const end = lines.indexOf(' ', at)
    const text = lines.slice(at, end)
    at = end + 1
    return text
  }
  while (at < lines.length) {
    photos.times.push(Number(untilSpace()))
    photos.ids.push(Number(untilSpace()))
    add(counts.years, untilSpace())
    add(counts.combinations, untilSpace())
    let tagId = 0
    for (let isOver = false; !isOver; at++) {
      const character = at < lines.length ? lines.charCodeAt(at) : NEWLINE
      isOver = character === NEWLINE
      if (character !== COMMA && !isOver) tagId = tagId * 10 + character - 48
      else if (tagId > 0) {
        add(counts.tagIds, tagId)
        tagId = 0
      }
    }
  }
  return photos
}

const add = <T>(counts: Map<T, number>, value: T) => counts.set(value, (counts.get(value) ?? 0) + 1)

/** The newest photos from the one at `offset` on; of the same time, those with the greater id first. */
export function newest({ ids, times }: TimedPhotos, offset: number, count: number): number[] {
  const { length } = times
  if (offset >= length) return []
  // Only the photos of the page are sorted with their ids: between the first time of the page and the last one.
  const ascending = Float64Array.from(times).sort()
  const first = ascending[length - 1 - offset]!
  const last = ascending[Math.max(0, length - offset - count)]!
  const newer = length - 1 - ascending.lastIndexOf(first)
  const candidates = [...times.keys()].filter((i) => times[i]! <= first && times[i]! >= last)
  candidates.sort((a, b) => times[b]! - times[a]! || ids[b]! - ids[a]!)
  return candidates.slice(offset - newer, offset - newer + count).map((i) => ids[i]!)
}
