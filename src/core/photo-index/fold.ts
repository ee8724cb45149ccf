/** The form in which texts are compared by the search: docs/contracts/portfolio.md, "Search". */
import { foldCase, withoutAccents } from '../../util/fold.ts'

const INVISIBLE = /[\p{Cf}\p{Variation_Selector}]/gu
/** Most of all text: it folds to itself, when no mark or invisible character follows it. */
const PLAIN = /^[\u4e00-\u9fffa-z0-9 ,.]*$/
/** A character with the marks and invisible characters behind it, which may fold to something else. */
const OTHERS =
  /[\u4e00-\u9fffa-z0-9 ,.][\p{M}\p{Cf}]+|[^\u4e00-\u9fffa-z0-9 ,.\p{M}\p{Cf}][\p{M}\p{Cf}]*|[\p{M}\p{Cf}]+/gsu

/** A folded text, and for each of its UTF-16 units, and its end, where in the original its character begins. */
export interface Folded {
  text: string
  /** Of these characters the original is made, in Unicode's form NFC. */
  original: string
  starts: number[]
}

/** Folds so that a match can be shown in the original. */
export function foldWithPlaces(text: string): Folded {
  const original = text.normalize('NFC')
  const starts: number[] = []
  let folded = ''
  const addPlain = (from: number, to: number) => {
    for (let i = from; i < to; i++) starts.push(i)
    folded += original.slice(from, to)
  }
  let end = 0
  for (const { 0: cluster, index } of original.matchAll(OTHERS)) {
    addPlain(end, index)
    const part = foldCluster(cluster)
    for (let i = 0; i < part.length; i++) starts.push(index)
    folded += part
    end = index + cluster.length
  }
  addPlain(end, original.length)
  starts.push(original.length)
  return { text: folded, original, starts }
}

export const fold = (text: string): string => text.normalize('NFC').replace(OTHERS, foldCluster)

function foldCluster(cluster: string): string {
  if (PLAIN.test(cluster)) return cluster
  if (cluster.length === 1 && cluster <= '~') return cluster.toLowerCase()
  return withoutAccents(foldCase(cluster)).replace(INVISIBLE, '')
}

/**
 * Scripts that are written without spaces between words, and emoji: any part of such a run can be searched for. In other
 * scripts a word is found by its beginning.
 */
const UNSPACED =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}ー\\p{Script=Hangul}\\p{Script=Bopomofo}\\p{Script=Thai}' +
  '\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}\\p{Extended_Pictographic}\\p{Regional_Indicator}'
const PIECES = new RegExp(`(?<run>[${UNSPACED}]+)|[[\\p{L}\\p{M}\\p{N}]--[${UNSPACED}]]+`, 'gv')

/** A part of a folded text: a run of characters of an unspaced script, or a word. */
export interface Piece {
  kind: 'run' | 'word'
  text: string
  /** In the folded text. */
  index: number
}

export const piecesOf = (folded: string): Piece[] =>
  [...folded.matchAll(PIECES)].map((match) => ({
    kind: match.groups!.run === undefined ? 'word' : 'run',
    text: match[0],
    index: match.index,
  }))
