import type { FileEvents, UploadEvent } from '../../core/files/events.ts'
import { presentFileId } from './photos.ts'
import type { EventPresenters } from './presenters.ts'

const presentUpload = ({ of, title, type, fileFormat }: UploadEvent) => ({
  ...('materialId' in of ? { material_id: of.materialId } : { file_id: presentFileId(of.fileId) }),
  title,
  type,
  file_format: fileFormat,
})

export const fileEvents: EventPresenters<FileEvents> = {
  'upload.started': presentUpload,
  'upload.completed': (upload) => ({ ...presentUpload(upload), file_size: upload.fileSize }),
  'upload.failed': (upload) => ({ ...presentUpload(upload), reason: upload.reason }),
}
