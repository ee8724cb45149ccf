import type { Photo } from './rows.ts'

interface PhotoEvent {
  photoId: number
  fileId: number
  title: string
  slug: string
  status: 'published' | 'draft' | 'archived'
  visibility: 'public' | 'private'
}

export interface PhotoEvents {
  'photo.created': PhotoEvent
  'photo.updated': PhotoEvent
  'photo.deleted': { photoId: number }
}

export const photoEvent = ({ id, fileId, title, slug, status, visibility }: Photo): PhotoEvent => ({
  photoId: id,
  fileId,
  title,
  slug,
  status,
  visibility,
})
