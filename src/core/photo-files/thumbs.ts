import { and, eq } from 'drizzle-orm'
import { isOneOf } from '../../db/arrays.ts'
import { photoFiles, photoIndex, photos } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { seesWhole, type Viewer, visibleTo } from '../photo-index/visibility.ts'
import { siteSettings } from '../system/site-settings.ts'
import { type Addressed, renditionUrl } from './urls.ts'
import { watermarkOf } from './watermark.ts'

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

/** A thumbnail that can be kept for later: its address depends on the viewer and on the time. */
export interface KeptThumb extends Omit<PhotoThumb, 'thumbUrl'> {
  file: Pick<Addressed, 'renditions' | 'exposed' | 'isPublic'> & { userId: number }
}

/**
 * Gives kept thumbnails their addresses for this viewer.
 * @param origin the address of this server as the client knows it
 */
export async function thumbAddresses(
  ctx: Context,
  origin: string,
  viewer: Viewer,
): Promise<(thumb: KeptThumb) => PhotoThumb> {
  const hasWatermark = watermarkOf(await siteSettings(ctx)) !== undefined
  return ({ file, ...photo }) => {
    const addressed = { ...file, whole: seesWhole(viewer, file), hasWatermark }
    return { ...photo, thumbUrl: renditionUrl(ctx, origin, addressed, THUMB) }
  }
}

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
  const address = await thumbAddresses(ctx, origin, viewer)
  return new Map((await keptThumbs(ctx, viewer, ids)).map((thumb) => [thumb.id, address(thumb)]))
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
        userId: photoIndex.ownerId,
      },
    })
    .from(photoIndex)
    .innerJoin(photos, eq(photos.id, photoIndex.photoId))
    .innerJoin(photoFiles, eq(photoFiles.id, photos.fileId))
    .where(and(isOneOf(photoIndex.photoId, ids), visibleTo(viewer)))
}
