import type { PhotoFileEvents } from '../../core/photo-files/events.ts'
import type { PhotoEvents } from '../../core/photos/events.ts'
import type { EventPresenters } from './presenters.ts'

/** The id of a file, as the portfolio contract shows it too. */
export const presentFileId = (fileId: number): string => `upload_${fileId}`

const presentPhoto = (photo: PhotoEvents['photo.created']) => ({
  photo_id: photo.photoId,
  file_id: presentFileId(photo.fileId),
  title: photo.title,
  slug: photo.slug,
  status: photo.status,
  visibility: photo.visibility,
})

export const photoEvents: EventPresenters<PhotoEvents & PhotoFileEvents> = {
  'photo.created': presentPhoto,
  'photo.updated': presentPhoto,
  'photo.deleted': ({ photoId }) => ({ photo_id: photoId }),
  'photo.processed': ({ fileId, photoId, status, reason }) => ({
    file_id: presentFileId(fileId),
    photo_id: photoId,
    status,
    reason,
  }),
}
