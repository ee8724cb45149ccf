/** The form of the keys of uploaded objects. */
import { safeFileName } from '../../storage/keys.ts'

/**
 * The key of an uploaded file: `<folder>/20240115_083000_video.mp4`, with the time in UTC.
 * @param mark sets the key apart from that of a file with the same name, folder and second
 */
export function uploadKey(folder: string, at: Date, name: string, extension: string, mark?: string): string {
  const time = at.toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '_')
  const safe = safeFileName(name, extension)
  const stem = safe.slice(0, -extension.length - 1)
  return `${folder}/${time}_${mark ? `${stem}_${mark}.${extension.toLowerCase()}` : safe}`
}

const HIDDEN = 'hidden/'

/**
 * Where a hidden object is. It has a prefix of its own, because a bucket is made public by prefix; the record keeps the
 * key that the object had before.
 */
export const hiddenKey = (key: string): string => `${HIDDEN}${key}`

/** The key that a hidden object had before. */
export const shownKey = (key: string): string => (key.startsWith(HIDDEN) ? key.slice(HIDDEN.length) : key)
