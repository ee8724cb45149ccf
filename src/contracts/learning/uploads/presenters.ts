import type { Material } from '../../../core/materials/rows.ts'
import { learning } from '../contract.ts'
import type { ThumbnailState, UploadState } from './models.ts'

/** The fixed progress of each status: docs/contracts/learning.md, "Upload status". The live channel counts bytes. */
const PROGRESS = { processing: 50, active: 100, hidden: 100 } as const

export const presentUploadState = (request: Request, material: Material): UploadState => ({
  material_id: material.id,
  status: material.status,
  progress: PROGRESS[material.status],
  message: learning.text(request, `upload_${material.status}`),
  ...thumbnailOf(material),
})

export const presentThumbnailState = (material: Material): ThumbnailState => ({
  material_id: material.id,
  // A thumbnail that was pending when the material was deleted is never made.
  thumbnail_status:
    material.status === 'hidden' && material.thumbnailStatus === 'pending'
      ? 'failed'
      : material.thumbnailStatus,
  ...thumbnailOf(material),
})

/** The row keeps the paths of removed objects, because a removal that fails is tried again. */
function thumbnailOf({ removedAt, thumbnailPath, thumbnailStatus }: Material) {
  const removed = removedAt !== null
  return {
    thumbnail_path: removed ? null : thumbnailPath,
    has_thumbnail: !removed && thumbnailStatus === 'completed',
  }
}
