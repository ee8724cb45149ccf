export interface PhotoFileEvents {
  /** `photoId` is null while no photo has been made of the file. `reason` is an error code when it failed. */
  'photo.processed': {
    fileId: number
    photoId: number | null
    status: 'completed' | 'failed'
    reason: string | null
  }
}
