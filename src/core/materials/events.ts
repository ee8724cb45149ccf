export interface UploadEvent {
  materialId: number
  title: string
  type: 'video' | 'pdf'
  fileFormat: string
}

interface ThumbnailEvent {
  materialId: number
  thumbnailPath: string
}

export interface MaterialEvents {
  'upload.started': UploadEvent
  'upload.completed': UploadEvent & { fileSize: number }
  /** The material no longer exists. `reason` is an error code. */
  'upload.failed': UploadEvent & { reason: string }
  'thumbnail.completed': ThumbnailEvent
  /** The thumbnail is a placeholder. */
  'thumbnail.failed': ThumbnailEvent & { reason: string }
  'material.hidden': { materialId: number }
  'material.removed': { materialId: number }
}
