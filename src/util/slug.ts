import { randomInt } from 'node:crypto'
import { withoutAccents } from './fold.ts'
import { pinyinOf } from './pinyin.ts'

/** Characters of a slug, the suffix of `suffixed` not included. */
const MAX_LENGTH = 60
const SUFFIX_LENGTH = 5
const SUFFIX_LETTERS = '23456789abcdefghjkmnpqrstuvwxyz'

/**
 * A text as a part of a URL that people can read: Chinese characters as pinyin, Latin letters without accents, letters of
 * other scripts as they are, a hyphen for everything else. `城市夜景` is `cheng-shi-ye-jing`.
 * @returns an empty string when the text has neither letters nor digits
 */
export function slugOf(text: string): string {
  // A long text is cut before the work, generously, because punctuation disappears.
  const words = withoutAccents(romanise(text.slice(0, 4 * MAX_LENGTH).normalize('NFKC')).toLowerCase())
    .replace(/['’]/g, '')
    .match(/[\p{L}\p{M}\p{N}]+/gu)
  return words ? cutAtWord(words) : ''
}

/** Whether a text has the form of a slug, as a person may type one: lower-case letters and digits in words with hyphens between. */
export const isSlug = (text: string): boolean =>
  /^[\p{L}\p{M}\p{N}]+(-[\p{L}\p{M}\p{N}]+)*$/u.test(text) && text === text.toLowerCase().normalize('NFC')

/** The same slug with a random end, for when another row has the slug already. One of 28 million. */
export function suffixed(slug: string): string {
  const suffix = Array.from({ length: SUFFIX_LENGTH }, () => SUFFIX_LETTERS[randomInt(SUFFIX_LETTERS.length)])
  return [slug, suffix.join('')].filter(Boolean).join('-')
}

const romanise = (text: string): string =>
  text.replace(/\p{Script=Han}+/gu, (characters) => ` ${pinyinOf(characters).join(' ')} `)

function cutAtWord(words: string[]): string {
  let slug = ''
  for (const word of words) {
    const longer = slug ? `${slug}-${word}` : word
    if (longer.length > MAX_LENGTH) return slug || [...word].slice(0, MAX_LENGTH / 2).join('')
    slug = longer
  }
  return slug
}
