interface ThumbnailEvent {
  materialId: number
  thumbnailPath: string
}

export interface MaterialEvents {
  'thumbnail.completed': ThumbnailEvent
  /** The thumbnail is a placeholder. */
  'thumbnail.failed': ThumbnailEvent & { reason: string }
  'material.hidden': { materialId: number }
  'material.removed': { materialId: number }
}
