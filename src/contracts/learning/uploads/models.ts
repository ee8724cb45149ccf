import { type Static, t } from 'elysia'
import { choice } from '../../../http/choice.ts'
import { nullable } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'
import { MaterialStatus } from '../materials/models.ts'

export const MAX_TITLE = 255
export const MAX_DESCRIPTION = 5000

/** The text fields beside the file of an upload. */
export const uploadFields = {
  title: t.String({ minLength: 1, maxLength: MAX_TITLE }),
  description: t.Optional(t.String({ maxLength: MAX_DESCRIPTION })),
}

export const UploadState = t.Object({
  material_id: t.Integer(),
  status: MaterialStatus,
  progress: t.Integer(),
  message: t.String(),
  thumbnail_path: nullable(t.String()),
  has_thumbnail: t.Boolean(),
})
export type UploadState = Static<typeof UploadState>

const ThumbnailStatus = choice(['pending', 'completed', 'failed'])
export const ThumbnailState = t.Object({
  material_id: t.Integer(),
  thumbnail_status: ThumbnailStatus,
  thumbnail_path: nullable(t.String()),
  has_thumbnail: t.Boolean(),
})
export type ThumbnailState = Static<typeof ThumbnailState>

named({ UploadState, ThumbnailStatus, ThumbnailState })
