/** The terms by which the database finds the text of a photo: docs/contracts/portfolio.md, "Search". */
import { pinyinOf, readingsOf } from '../../util/pinyin.ts'
import { fold, type Piece, piecesOf } from './fold.ts'

/** Grows with every change of the terms or of the dictionary of pinyin, so that servers make the rows of `photo_index` anew. */
export const TERMS_VERSION = 1

/** Where a term stands. Its letter begins the term. */
export const FIELDS = { title: 't', name: 'n', location: 'l', description: 'd' } as const
export type Field = keyof typeof FIELDS

/** UTF-16 units of the longest term. A query is shorter. */
const MAX_TERM = 100
/** Characters of a text of which there is pinyin. */
const MAX_PINYIN = 200
const HAN = /\p{Script=Han}+/gu

/** What a reader may search for in a photo. */
export interface PhotoText {
  title: string
  description: string
  /** Of its tags, its categories and the categories above them. */
  names: string[]
  /** As the owner typed it. */
  location: string
}

/** All terms of a photo, each once. Descriptions are long, so they have no pinyin. */
export function termsOf({ title, description, names, location }: PhotoText): string[] {
  const terms = new Set<string>()
  const add = (field: Field, text: string, withPinyin: boolean) => {
    for (const piece of piecesOf(fold(text))) {
      const parts = piece.kind === 'word' ? [cut(piece.text)] : gramsOf(piece.text)
      for (const part of parts) terms.add(FIELDS[field] + part)
      if (!withPinyin || piece.kind === 'word') continue
      for (const part of spellingsIn(piece.text)) terms.add(FIELDS[field] + part)
    }
  }
  add('title', title, true)
  terms.add(wholeTerm(piecesOf(fold(title))))
  for (const name of names) add('name', name, true)
  add('location', location, true)
  add('description', description, false)
  return [...terms]
}

/** The term of a title that consists of these pieces and nothing else. */
export const wholeTerm = (pieces: Piece[]): string => `=${cut(pieces.map(({ text }) => text).join(' '))}`

/** The text in which the pieces of a query are looked for, with one line for the location, and one for the rest. */
export const checkedText = ({ title, description, names, location }: PhotoText): string =>
  [location, [title, ...names, description].join('\0')].map(inOneLine).join('\n')

const inOneLine = (text: string) => fold(text).replace(/\s+/g, ' ').replaceAll('\0', ' / ')

/** Each pair of neighbours of a run, and its last character: so every character is the beginning of one of them. */
export function gramsOf(run: string): string[] {
  const characters = [...run]
  return characters.map((character, i) => character + (characters[i + 1] ?? ''))
}

function spellingsIn(run: string): string[] {
  return [...run.matchAll(HAN)].flatMap(([characters]) =>
    // A single initial is the beginning of the whole spelling.
    spellingsOf(characters).flatMap(({ full, initials }) => (initials.length > 1 ? [full, initials] : full)),
  )
}

/** How a reader may type Chinese characters with a Latin keyboard. */
export interface Spelling {
  /** Of which character it begins with. */
  start: number
  /** `yejing`, without spaces. */
  full: string
  /** `yj` */
  initials: string
  /** How many letters of `full` each character has. */
  lengths: number[]
}

/**
 * The spellings from each of these characters to the last. A single character has all its readings. A character with ü is
 * typed with `v` or with `u`.
 */
export function spellingsOf(characters: string): Spelling[] {
  const syllables = pinyinOf(cutCharacters(characters, MAX_PINYIN))
  const readings = syllables.length === 1 ? readingsOf(characters).map((reading) => [reading]) : [syllables]
  const typed = readings.flatMap((one) =>
    one.some((syllable) => syllable.includes('v'))
      ? [one, one.map((syllable) => syllable.replace('v', 'u'))]
      : [one],
  )
  return typed.flatMap(suffixes)
}

function suffixes(syllables: string[]): Spelling[] {
  const spellings: Spelling[] = []
  let full = ''
  let initials = ''
  let lengths: number[] = []
  for (let start = syllables.length - 1; start >= 0; start--) {
    const syllable = syllables[start]!
    if (!/^[a-z]+$/.test(syllable)) {
      // The dictionary does not have this character.
      full = ''
      initials = ''
      lengths = []
      continue
    }
    full = cut(syllable + full)
    initials = cut(syllable[0] + initials)
    lengths = [syllable.length, ...lengths]
    spellings.push({ start, full, initials, lengths })
  }
  return spellings
}

const cut = (text: string): string =>
  text.length <= MAX_TERM ? text : text.slice(0, MAX_TERM).toWellFormed()
const cutCharacters = (text: string, max: number): string =>
  text.length <= max ? text : [...text].slice(0, max).join('')
