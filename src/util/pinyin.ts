import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/**
 * The pinyin of each character, without tones, `v` for ü. A character with several readings has the one that fits its
 * neighbours. What has no pinyin stays as it is.
 * @param characters Chinese characters, and nothing else
 */
export const pinyinOf = (characters: string): string[] => pinyin(characters)

/** Every reading of one character. */
export const readingsOf = (character: string): string[] => [...new Set(pinyin(character, true))]

/** The dictionary takes 0.3 seconds to load and 37 MB, so a server loads it when it first meets Chinese text. */
function pinyin(characters: string, multiple = false): string[] {
  const dictionary = require('pinyin-pro') as typeof import('pinyin-pro')
  return dictionary.pinyin(characters, { toneType: 'none', type: 'array', v: true, multiple })
}
