/** Names that clients give their files. */
import { cutText } from './cut.ts'

const MAX_NAME = 255

/**
 * Control characters, line ends, and characters that change the direction of text: with those, `photo_gpj.exe` can look like
 * `photo_exe.jpg`.
 */
const HARMFUL = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu

/**
 * The name of a file as people may see it: without a path and without harmful characters, at most 255 UTF-16 units long.
 * @param otherwise in place of a name of which nothing is left
 */
export function shownFileName(name: string, otherwise: string): string {
  const last = name.split(/[/\\]/).pop()!
  const shown = cutText(last.toWellFormed().replace(HARMFUL, '').trim(), MAX_NAME).trim()
  return /^\.*$/.test(shown) ? otherwise : shown
}

/** Other extensions of a format. */
const ALIASES: Record<string, string> = { jpeg: 'jpg', tif: 'tiff' }

/**
 * The name under which clients save a file: programs open a file by its extension, so it is the one of the content.
 * @param extension in lower case
 */
export function savedFileName(name: string, extension: string, otherwise: string): string {
  const shown = shownFileName(name, otherwise).replace(/[. ]+$/, '')
  const [, stem = shown, own = ''] = /^(.*)\.([a-z][a-z0-9]{0,9})$/is.exec(shown) ?? []
  const known = own.toLowerCase()
  if ((ALIASES[known] ?? known) === extension) return shown
  return `${stem || otherwise}.${extension}`
}
