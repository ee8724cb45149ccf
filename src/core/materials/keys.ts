/** The keys of a material's objects. */
import { safeFileName } from '../../storage/keys.ts'

/**
 * The key of an uploaded file: `materials/1/20240115_083000_video.mp4`, with the time in UTC
 * (docs/contracts/learning.md, "Files").
 * @param mark sets the key apart from that of a file with the same name, user and second
 */
export function materialKey(
  userId: number,
  at: Date,
  name: string,
  extension: string,
  mark?: string,
): string {
  const time = at.toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '_')
  const safe = safeFileName(name, extension)
  const stem = safe.slice(0, -extension.length - 1)
  return `materials/${userId}/${time}_${mark ? `${stem}_${mark}.${extension.toLowerCase()}` : safe}`
}

export const thumbnailKey = ({ userId, id }: { userId: number; id: number }): string =>
  `thumbnails/${userId}/${id}.jpg`

const HIDDEN = 'hidden/'

/**
 * Where the object of a hidden material is. It has a prefix of its own, because a bucket is made public by prefix; the
 * material keeps its `file_path`.
 */
export const hiddenKey = (key: string): string => `${HIDDEN}${key}`

/** The key that a hidden object had before, and has again when it is shown. */
export const shownKey = (key: string): string => (key.startsWith(HIDDEN) ? key.slice(HIDDEN.length) : key)

/** What the keys of uploads begin with. The server touches no other object of the bucket. */
export const UPLOAD_PREFIXES = ['materials/', 'thumbnails/', HIDDEN]
