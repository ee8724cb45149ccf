/**
 * A text without the case of its letters and without the differences that compatibility characters make: two texts that
 * fold alike count as the same name. JavaScript has no full case folding (Unicode's toNFKC_Casefold); this function differs
 * from it in that the Turkish dotless ı folds like i. It does not depend on the locale of a database or system.
 */
export function foldCase(text: string): string {
  // The step through upper case makes SS of ß, and one Σ of σ and ς. Lower case comes first, because ẞ is upper case already.
  const folded = text.normalize('NFKC').toLowerCase().toUpperCase().toLowerCase()
  // `toLowerCase` writes a Σ at the end of a word as ς.
  return folded.replaceAll('ς', 'σ').normalize('NFKC')
}

/** Latin letters that Unicode does not decompose. */
const LATIN: Record<string, string> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  ł: 'l',
  þ: 'th',
  ı: 'i',
}

/** A lower-case text without the accents of its letters. The voicing marks of kana are no accents. */
export const withoutAccents = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .normalize('NFC')
    .replace(/[ßæœøđðłþı]/g, (letter) => LATIN[letter]!)

/** Fullwidth letters and digits, and halfwidth characters of East Asia, are typed by accident (RFC 8265, 3.3). */
const ODD_WIDTHS = /[\u3000\uff01-\uffee]/g

/** A name as it is stored and shown: one form of each character, and no space around it (RFC 8265). */
export const tidyName = (text: string): string =>
  text
    .replace(ODD_WIDTHS, (character) => character.normalize('NFKC'))
    .normalize('NFC')
    .trim()

/** An email, or another ASCII text, also when it was typed in fullwidth characters. */
export const tidyAscii = (text: string): string => text.normalize('NFKC').trim()

/** A code that a person typed, in any script's digits, as ASCII digits without spaces and hyphens. */
export const tidyCode = (text: string): string =>
  text
    .normalize('NFKC')
    .replace(/[\s\p{Pd}\p{Cf}]/gu, '')
    .replace(/\p{Nd}/gu, asciiDigit)

/** In Unicode, the ten digits of a script follow each other. */
function asciiDigit(digit: string): string {
  let value = 0
  for (let code = digit.codePointAt(0)! - 1; /\p{Nd}/u.test(String.fromCodePoint(code)); code--) value++
  return String(value % 10)
}

/** Every form of an accented or compatibility character counts as the same one (RFC 8265, 4.2, with NFKC). */
export const tidyPassword = (text: string): string => text.normalize('NFKC')
