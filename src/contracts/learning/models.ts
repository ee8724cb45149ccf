/** Wire models of the learning contract: docs/contracts/learning.md. Ids are integers. */
import { type Static, t } from 'elysia'
import { choice } from '../../http/choice.ts'
import { integerText } from '../../http/integer-text.ts'
import { named } from '../../http/openapi/schemas.ts'

export const User = t.Object({
  id: t.Integer(),
  email: t.String(),
  name: t.String(),
  avatar_url: t.Union([t.String(), t.Null()]),
  is_active: t.Boolean(),
  created_at: t.String({ format: 'date-time' }),
})
export type User = Static<typeof User>

const tokens = {
  access_token: t.String(),
  refresh_token: t.String(),
  token_type: t.Literal('bearer'),
  expires_in: t.Integer(),
}
export const Refreshed = t.Object(tokens)
export type Refreshed = Static<typeof Refreshed>
export const Session = t.Object({ ...tokens, user: User })
export type Session = Static<typeof Session>

const Timestamp = t.String({ format: 'date-time' })
const nullable = <T extends Parameters<typeof t.Optional>[0]>(schema: T) => t.Union([schema, t.Null()])
const materialType = choice(['video', 'pdf'])
const thumbnailStatus = choice(['pending', 'completed', 'failed'])
const materialStatus = choice(['processing', 'active', 'hidden'])

export const MaterialId = t.Object({ material_id: integerText({ minimum: 1, maximum: 2_147_483_647 }) })

const material = {
  id: t.Integer(),
  title: t.String(),
  description: t.String(),
  type: materialType,
  file_path: t.String(),
  file_size: t.Integer(),
  file_format: choice(['mp4', 'webm', 'pdf']),
  thumbnail_path: nullable(t.String()),
  uploader_id: t.Integer(),
  view_count: t.Integer(),
  like_count: t.Integer(),
  status: materialStatus,
  created_at: Timestamp,
  updated_at: Timestamp,
  file_url: t.String(),
  thumbnail_url: nullable(t.String()),
}
export const Uploaded = t.Object(material)
export type Uploaded = Static<typeof Uploaded>

export const Material = t.Object({
  ...material,
  uploader_name: t.String(),
  uploader_avatar: nullable(t.String()),
  is_liked: t.Boolean(),
})
export type Material = Static<typeof Material>

export const MaterialDetail = t.Composite([
  Material,
  t.Object({
    related_materials: t.Array(
      t.Object({
        id: t.Integer(),
        title: t.String(),
        type: materialType,
        thumbnail_path: nullable(t.String()),
        view_count: t.Integer(),
        like_count: t.Integer(),
      }),
    ),
  }),
])
export type MaterialDetail = Static<typeof MaterialDetail>

export const Like = t.Object({ is_liked: t.Boolean(), like_count: t.Integer() })

export const UploadState = t.Object({
  material_id: t.Integer(),
  status: materialStatus,
  progress: t.Integer(),
  message: t.String(),
  thumbnail_path: nullable(t.String()),
  has_thumbnail: t.Boolean(),
})
export type UploadState = Static<typeof UploadState>

export const ThumbnailState = t.Object({
  material_id: t.Integer(),
  thumbnail_status: thumbnailStatus,
  thumbnail_path: nullable(t.String()),
  has_thumbnail: t.Boolean(),
})
export type ThumbnailState = Static<typeof ThumbnailState>

named({
  LearningUser: User,
  LearningTokens: Refreshed,
  LearningSession: Session,
  MaterialType: materialType,
  MaterialStatus: materialStatus,
  ThumbnailStatus: thumbnailStatus,
  UploadedMaterial: Uploaded,
  Material,
  MaterialDetail,
  MaterialLike: Like,
  UploadState,
  ThumbnailState,
})
