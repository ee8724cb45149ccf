import { foldCase, tidyName } from '../../util/fold.ts'
import { slugOf } from '../../util/slug.ts'
import { storable } from '../../util/storable.ts'
import { invalid } from '../errors.ts'

const MAX_LENGTH = 50

/**
 * The name of a tag as it is stored and shown, with the forms of it by which the tag is unique and found.
 * @param field of the input, for the error
 * @throws AppError VALIDATION_FAILED
 */
export function readTagName(text: string, field: string) {
  const name = tidyName(storable(text).replace(/[\s\p{Cc}]+/gu, ' '))
  if (name.length > MAX_LENGTH) throw invalid(field, 'max_length', { limit: MAX_LENGTH })
  if (!/[\p{L}\p{N}\p{P}\p{S}]/u.test(name)) throw invalid(field, 'min_length', { limit: 1 })
  const words = slugOf(name).split('-')
  const nameKey = tagKey(name)
  return {
    name,
    nameKey,
    pinyin: words.join('') || nameKey,
    initials: words.map((word) => [...word][0] ?? '').join(''),
  }
}

/** Two names with the same key name the same tag: neither case, width nor invisible characters make a difference. */
export const tagKey = (name: string): string =>
  foldCase(name)
    .replace(/[\p{Cf}\p{Cc}\p{Variation_Selector}]/gu, '')
    .replace(/\s+/g, ' ')
    .trim()
