/** Shows where a query stands in a text: docs/contracts/portfolio.md, "Search". */
import { type Folded, foldWithPlaces, type Piece, piecesOf } from './fold.ts'
import { type Spelling, spellingsOf } from './terms.ts'

/** UTF-16 units. */
const WINDOW = 160
/** How much of a window stands before its first match. */
const BEFORE = 40

type Range = [start: number, end: number]

/** The whole text as HTML, with each match in `<mark>`. */
export function highlight(text: string, query: Piece[]): string {
  const folded = foldWithPlaces(text)
  return marked(folded.original, rangesIn(folded, query, true), [0, folded.original.length])
}

/** The part of a long text around its first match, as HTML; its beginning, when nothing matches. Pinyin does not match. */
export function excerpt(text: string, query: Piece[]): string {
  const folded = foldWithPlaces(text)
  const { original } = folded
  const ranges = rangesIn(folded, query, false)
  const window = windowIn(original, ranges[0]?.[0] ?? 0)
  const html = marked(original, ranges, window)
  return `${window[0] > 0 ? '…' : ''}${html}${window[1] < original.length ? '…' : ''}`
}

/** Begins and ends between two grapheme clusters. */
function windowIn(text: string, match: number): Range {
  if (text.length <= WINDOW) return [0, text.length]
  const graphemes = new Intl.Segmenter().segment(text)
  const boundary = (at: number) => (at >= text.length ? text.length : graphemes.containing(at)!.index)
  const start = Math.max(0, Math.min(match - BEFORE, text.length - WINDOW))
  return [boundary(start), boundary(start + WINDOW)]
}

function marked(text: string, ranges: Range[], [from, to]: Range): string {
  let html = ''
  let at = from
  for (const [start, end] of ranges) {
    const [first, last] = [Math.max(start, from), Math.min(end, to)]
    if (first >= last) continue
    html += `${escapeHtml(text.slice(at, first))}<mark>${escapeHtml(text.slice(first, last))}</mark>`
    at = last
  }
  return html + escapeHtml(text.slice(at, to))
}

/** In the original, in order, none touching the next. */
function rangesIn(folded: Folded, query: Piece[], withPinyin: boolean): Range[] {
  const found: Range[] = []
  for (const piece of piecesOf(folded.text)) {
    if (piece.kind === 'word') found.push(...beginnings(piece, query))
    else found.push(...occurrences(piece, query), ...(withPinyin ? spelled(piece, query) : []))
  }
  const shown = found.map(([start, end]): Range => [folded.starts[start]!, endOf(folded, end)])
  shown.sort(([a], [b]) => a - b)
  const merged: Range[] = []
  for (const [start, end] of shown) {
    const last = merged.at(-1)
    if (last && start <= last[1]) last[1] = Math.max(last[1], end)
    else merged.push([start, end])
  }
  return merged
}

/** One original character may have several folded ones, of which a match has some. */
function endOf({ starts }: Folded, end: number): number {
  const last = starts[end - 1]!
  let next = end
  while (starts[next] === last) next++
  return starts[next]!
}

const beginnings = ({ text, index }: Piece, query: Piece[]): Range[] =>
  query
    .filter((wanted) => wanted.kind === 'word' && text.startsWith(wanted.text))
    .map((wanted) => [index, index + wanted.text.length])

function occurrences({ text, index }: Piece, query: Piece[]): Range[] {
  const found: Range[] = []
  for (const wanted of query) {
    if (wanted.kind !== 'run') continue
    for (let at = text.indexOf(wanted.text); at >= 0; at = text.indexOf(wanted.text, at + 1))
      found.push([index + at, index + at + wanted.text.length])
  }
  return found
}

const LATIN = /^[a-z]+$/

/** The characters whose pinyin, or its initials, begin with a word of the query. */
function spelled({ text, index }: Piece, query: Piece[]): Range[] {
  const words = query.filter((wanted) => LATIN.test(wanted.text))
  if (words.length === 0) return []
  return [...text.matchAll(/\p{Script=Han}+/gu)].flatMap((match) => {
    const characters = [...match[0]]
    const at = (n: number) => index + match.index + characters.slice(0, n).join('').length
    return spellingsOf(match[0]).flatMap((spelling) =>
      words.flatMap((word): Range[] => {
        const count = charactersOf(spelling, word.text)
        return count === 0 ? [] : [[at(spelling.start), at(spelling.start + count)]]
      }),
    )
  })
}

/** How many characters were typed; 0 when it is not this spelling. */
function charactersOf({ full, initials, lengths }: Spelling, word: string): number {
  if (initials.startsWith(word)) return word.length
  if (!full.startsWith(word)) return 0
  let count = 0
  for (let letters = 0; letters < word.length; count++) letters += lengths[count]!
  return count
}

const ESCAPES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => ESCAPES[character]!)
