import type { Photo } from './rows.ts'

interface PhotoSummary {
  photoId: number
  fileId: number
  title: string
  slug: string
  status: 'published' | 'draft' | 'archived'
  visibility: 'public' | 'private'
}

export interface PhotoEvents {
  'photo.created': PhotoSummary
  'photo.updated': PhotoSummary
  'photo.deleted': { photoId: number }
}

export const photoEvent = ({ id, fileId, title, slug, status, visibility }: Photo): PhotoSummary => ({
  photoId: id,
  fileId,
  title,
  slug,
  status,
  visibility,
})
