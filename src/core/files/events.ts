/** An upload of any kind: a material, or the file of a photo. */
export interface UploadEvent {
  of: { materialId: number } | { fileId: number }
  /** Of a photo's file, its name. */
  title: string
  type: 'video' | 'pdf' | 'photo'
  fileFormat: string
}

export interface FileEvents {
  'upload.started': UploadEvent
  'upload.completed': UploadEvent & { fileSize: number }
  /** The upload no longer exists. `reason` is an error code. */
  'upload.failed': UploadEvent & { reason: string }
}
