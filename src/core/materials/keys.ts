/** The keys of a material's objects. */
import { hiddenKey, uploadKey } from '../files/keys.ts'

/** `materials/1/20240115_083000_video.mp4`: docs/contracts/learning.md, "Files". */
export const materialKey = (
  userId: number,
  at: Date,
  name: string,
  extension: string,
  mark?: string,
): string => uploadKey(`materials/${userId}`, at, name, extension, mark)

export const thumbnailKey = ({ userId, id }: { userId: number; id: number }): string =>
  `thumbnails/${userId}/${id}.jpg`

/** The id of the material in the key of a thumbnail. */
export function materialOfThumbnail(key: string): number | undefined {
  const [, id] = /^thumbnails\/\d+\/([1-9]\d{0,8})\.jpg$/.exec(key) ?? []
  return id === undefined ? undefined : Number(id)
}

const FOLDERS = ['materials/', 'thumbnails/']

/** The prefixes of all objects of materials. Cleanup touches no other object of the bucket. */
export const MATERIAL_PREFIXES = [...FOLDERS, ...FOLDERS.map(hiddenKey)]
