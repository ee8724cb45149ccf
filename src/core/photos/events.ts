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
