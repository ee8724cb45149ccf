/** Cuts text between grapheme clusters, which people see as characters: never within an emoji or a surrogate pair. */
const graphemes = new Intl.Segmenter()

/** The last boundary of a grapheme at or before `index`. */
function boundaryBefore(text: string, index: number): number {
  if (index >= text.length) return text.length
  // One further code point shows whether the grapheme continues.
  const start = index <= 0 ? 0 : graphemes.segment(text.slice(0, index + 2)).containing(index)!.index
  if (start > 0 || index <= 0) return start
  // A single grapheme is longer than the limit, such as a letter with hundreds of marks.
  return isSecondHalf(text, index) ? index - 1 : index
}

const isSecondHalf = (text: string, index: number) => (text.codePointAt(index - 1) ?? 0) > 0xffff

/**
 * The beginning of a text.
 * @param max length in UTF-16 units, `mark` included
 * @param mark replaces what was cut off
 */
export function cutText(text: string, max: number, mark = ''): string {
  if (text.length <= max) return text
  return text.slice(0, boundaryBefore(text, max - mark.length)) + mark
}

/** The end of a text, `max` UTF-16 units long at most. */
export function cutStart(text: string, max: number): string {
  const index = text.length - max
  if (index <= 0) return text
  if (max <= 0) return ''
  const { index: start, segment } = graphemes.segment(text).containing(index)!
  if (start === index) return text.slice(index)
  const next = start + segment.length
  if (next < text.length) return text.slice(next)
  return text.slice(isSecondHalf(text, index) ? index + 1 : index)
}

/** The beginning of a text, `max` bytes of UTF-8 long at most. */
export function cutToBytes(text: string, max: number): string {
  if (Buffer.byteLength(text) <= max) return text
  let bytes = 0
  for (const { segment, index } of graphemes.segment(text)) {
    bytes += Buffer.byteLength(segment)
    if (bytes > max) return text.slice(0, index)
  }
  return text
}
