import type { MaterialEvents, UploadEvent } from '../../core/materials/events.ts'
import type { EventPresenters } from './presenters.ts'

const presentUpload = (upload: UploadEvent) => ({
  material_id: upload.materialId,
  title: upload.title,
  type: upload.type,
  file_format: upload.fileFormat,
})

const presentThumbnail = (thumbnail: MaterialEvents['thumbnail.completed']) => ({
  material_id: thumbnail.materialId,
  thumbnail_path: thumbnail.thumbnailPath,
})

const presentId = ({ materialId }: { materialId: number }) => ({ material_id: materialId })

export const materialEvents: EventPresenters<MaterialEvents> = {
  'upload.started': presentUpload,
  'upload.completed': (upload) => ({ ...presentUpload(upload), file_size: upload.fileSize }),
  'upload.failed': (upload) => ({ ...presentUpload(upload), reason: upload.reason }),
  'thumbnail.completed': presentThumbnail,
  'thumbnail.failed': (thumbnail) => ({ ...presentThumbnail(thumbnail), reason: thumbnail.reason }),
  'material.hidden': presentId,
  'material.removed': presentId,
}
