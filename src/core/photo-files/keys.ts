/** The keys of a photo's objects: docs/contracts/portfolio.md, "Files of photos". */
import { hiddenKey, uploadKey } from '../files/keys.ts'
import type { Rendition } from './rows.ts'

/** The folder of all uploaded files. Nothing makes it public. */
export const ORIGINALS = 'originals/'

/**
 * `originals/1/20240115_083000_DSC_0001_3f2a….jpg`: an uploaded file.
 * @param mark sets apart the files that one user uploads with one name in one second
 */
export const originalKey = (
  userId: number,
  at: Date,
  name: string,
  extension: string,
  mark: string,
): string => uploadKey(`${ORIGINALS}${userId}`, at, name, extension, mark)

/** The extension of an original: that of the detected format. */
export const extensionOf = (key: string): string => key.slice(key.lastIndexOf('.') + 1)

/** The folder of all renditions at their public keys. */
export const RENDITIONS = 'photos/'

const folderOf = (fileId: number): string => `${RENDITIONS}${fileId}/`

/**
 * `photos/12/webp_3f2a….webp`. The object itself is always at the hidden key of it; at this key there is a copy while
 * everybody may see the photo.
 * @param mark of the content and of the processing: a later processing must not use a key again, because cleanup may be
 * deleting the object there
 */
export const renditionKey = (
  fileId: number,
  { name, mark, extension }: { name: Rendition['name']; mark: string; extension: string },
): string => `${folderOf(fileId)}${name}_${mark}.${extension}`

/** The folder with the public copies of one file's renditions. */
export const publicFolder = folderOf

/** The folder with all renditions of one file. */
export const hiddenFolder = (fileId: number): string => hiddenKey(folderOf(fileId))

/** The name in the key of a rendition, without a check that there is such a name. */
export const nameIn = (key: string): string => /^photos\/\d+\/([a-z_]+)_[^_/]+$/.exec(key)?.[1] ?? ''

/** The id in the key of a rendition. */
export function fileIdOf(key: string): number | undefined {
  const [, id] = /^photos\/([1-9]\d{0,8})\/[^/]+$/.exec(key) ?? []
  return id === undefined ? undefined : Number(id)
}
