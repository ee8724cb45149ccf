import type { MaterialEvents } from '../../core/materials/events.ts'
import type { EventPresenters } from './presenters.ts'

const presentThumbnail = (thumbnail: MaterialEvents['thumbnail.completed']) => ({
  material_id: thumbnail.materialId,
  thumbnail_path: thumbnail.thumbnailPath,
})

const presentId = ({ materialId }: { materialId: number }) => ({ material_id: materialId })

export const materialEvents: EventPresenters<MaterialEvents> = {
  'thumbnail.completed': presentThumbnail,
  'thumbnail.failed': (thumbnail) => ({ ...presentThumbnail(thumbnail), reason: thumbnail.reason }),
  'material.hidden': presentId,
  'material.removed': presentId,
}
