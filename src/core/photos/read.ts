import type { Context } from '../context.ts'
import { notFound } from '../errors.ts'
import { isPublic, seesWhole, type Viewer } from '../photo-index/visibility.ts'
import { type PhotoView, viewPhotos } from './view.ts'

/** Whether this viewer may see a photo. */
export const sees = (viewer: Viewer, photo: PhotoView): boolean => isPublic(photo) || seesWhole(viewer, photo)

/** @throws AppError NOT_FOUND, also for a photo that this viewer may not see */
export async function readPhoto(ctx: Context, viewer: Viewer, id: number): Promise<PhotoView> {
  const [photo] = await viewPhotos(ctx, [id])
  if (!photo || !sees(viewer, photo)) throw notFound('photo', id)
  return photo
}
