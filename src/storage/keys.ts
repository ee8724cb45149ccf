import { cutText, cutToBytes } from '../util/cut.ts'
import { StorageError } from './storage.ts'

const MAX_KEY_BYTES = 1024
/** The limit of file systems. */
const MAX_SEGMENT_BYTES = 255
const MAX_STEM_BYTES = 100

/** Letters, their marks and digits of any script, without invisible ones. */
const LETTERS = String.raw`[\p{L}\p{N}\p{Mn}\p{Mc}--\p{Default_Ignorable_Code_Point}]`
// A segment that begins with a dot is hidden or leads upwards, and Windows drops a dot at the end.
const SEGMENT = new RegExp(`^[${LETTERS}_\\-](?:[${LETTERS}._\\-]*[${LETTERS}_\\-])?$`, 'v')
const UNSAFE = new RegExp(`[^${LETTERS}._\\-]+`, 'gv')
// Programs would read a name that begins with a hyphen as an option.
const EDGES = /^[\p{M}._-]+|[._-]+$/gu

const DEVICES = /^(con|prn|aux|nul|com\d|lpt\d|conin|conout|clock)$/i

const bytes = (text: string) => Buffer.byteLength(text)

/** Whether an object can have this key: relative, without `..`, and safe as a path and in a URL. */
export function isKey(key: string): boolean {
  if (bytes(key) > MAX_KEY_BYTES || key !== key.normalize('NFC')) return false
  return key.split('/').every((segment) => SEGMENT.test(segment) && bytes(segment) <= MAX_SEGMENT_BYTES)
}

/** @throws StorageError INVALID_KEY */
export function assertKey(key: string): string {
  if (isKey(key)) return key
  throw new StorageError('INVALID_KEY', `not an object key: ${JSON.stringify(cutText(key, 200))}`)
}

/** @throws StorageError INVALID_KEY unless keys can begin with it */
export function assertPrefix(prefix: string): string {
  if (prefix !== '') assertKey(prefix.endsWith('/') || prefix.endsWith('.') ? `${prefix}x` : prefix)
  return prefix
}

/** A key as the path of a URL. */
export const keyToPath = (key: string): string => key.split('/').map(encodeURIComponent).join('/')

/**
 * Makes the name that a user gave a file safe on every file system and in every URL, and keeps the letters of all scripts
 * in it. At most 100 bytes of UTF-8, plus the extension. Of a path, the last part counts.
 * @param extension the one that fits the detected content; without it, the name's own
 */
export function safeFileName(name: string, extension?: string): string {
  const last = name.normalize('NFC').split(/[/\\]/).pop()!
  const [, stem = last, own = ''] = /^(.*)\.([a-z][a-z0-9]{0,9})$/is.exec(last) ?? []
  const ending = (extension ?? own).toLowerCase()
  const safe = stem
    .replace(UNSAFE, '_')
    .replace(/\.{2,}/g, '.')
    .replace(/_{2,}/g, '_')
    .replace(EDGES, '')
  const given = cutToBytes(safe, MAX_STEM_BYTES).replace(EDGES, '') || 'file'
  const harmless = DEVICES.test(given.split('.')[0]!) ? `_${given}` : given
  return ending ? `${harmless}.${ending}` : harmless
}
