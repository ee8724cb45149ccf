/** The keys of a photo's objects: docs/contracts/portfolio.md, "Files of photos". */
import { hiddenKey } from '../files/keys.ts'
import type { Rendition } from './rows.ts'

const folderOf = (fileId: number): string => `photos/${fileId}/`

/**
 * `photos/12/webp_3f2a….webp`. The object itself is always at the hidden key of it; at this key there is a copy while
 * everybody may see the photo.
 * @param hash of the content, so that a new picture has a new key
 */
export const renditionKey = (
  fileId: number,
  { name, hash, extension }: { name: Rendition['name']; hash: string; extension: string },
): string => `${folderOf(fileId)}${name}_${hash}.${extension}`

/** The folder with the public copies of one file's renditions. */
export const publicFolder = folderOf

/** The folder with all renditions of one file. */
export const hiddenFolder = (fileId: number): string => hiddenKey(folderOf(fileId))

/** The id in the key of a rendition. */
export function fileIdOf(key: string): number | undefined {
  const [, id] = /^photos\/([1-9]\d{0,9})\/[^/]+$/.exec(key) ?? []
  return id === undefined ? undefined : Number(id)
}
