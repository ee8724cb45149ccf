import { and, eq } from 'drizzle-orm'
import { isOneOf } from '../../db/arrays.ts'
import { photoFiles, photoIndex, photos } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { type Viewer, visibleTo } from '../photo-index/visibility.ts'
import { type Addressed, renditionUrl } from './urls.ts'

const THUMB = 'thumb_medium'

/** A photo as a small picture with a title. */
export interface PhotoThumb {
  id: number
  title: string
  /** Of the medium thumbnail. */
  thumbUrl: string
  takenAt: Date | null
  /** Of the picture as it is shown, in pixels; null while it is not known. */
  width: number | null
  height: number | null
  /** A thumbhash in base64. */
  placeholder: string | null
}

/** A thumbnail that can be kept for later: its address may expire. */
export interface KeptThumb extends Omit<PhotoThumb, 'thumbUrl'> {
  file: Addressed
}

export const addressThumb = (ctx: Context, origin: string, { file, ...photo }: KeptThumb): PhotoThumb => ({
  ...photo,
  thumbUrl: renditionUrl(ctx, origin, file, THUMB),
})

/**
 * The thumbnails of these photos by the photos' ids, in one query. A photo that does not exist, or that this viewer may not
 * see, is absent.
 * @param origin the address of this server as the client knows it
 */
export async function photoThumbs(
  ctx: Context,
  origin: string,
  viewer: Viewer,
  ids: number[],
): Promise<Map<number, PhotoThumb>> {
  const thumbs = await keptThumbs(ctx, viewer, ids)
  return new Map(thumbs.map((thumb) => [thumb.id, addressThumb(ctx, origin, thumb)]))
}

/** The same without addresses, in any order. */
export async function keptThumbs(ctx: Context, viewer: Viewer, ids: number[]): Promise<KeptThumb[]> {
  if (ids.length === 0) return []
  return ctx.db
    .select({
      id: photoIndex.photoId,
      title: photoIndex.title,
      takenAt: photoIndex.takenAt,
      width: photoFiles.width,
      height: photoFiles.height,
      placeholder: photoFiles.placeholder,
      file: {
        renditions: photoFiles.renditions,
        exposed: photoFiles.exposed,
        isPublic: photoIndex.isPublic,
      },
    })
    .from(photoIndex)
    .innerJoin(photos, eq(photos.id, photoIndex.photoId))
    .innerJoin(photoFiles, eq(photoFiles.id, photos.fileId))
    .where(and(isOneOf(photoIndex.photoId, ids), visibleTo(viewer)))
}
