import { type Static, t } from 'elysia'
import { MATERIAL_TYPES } from '../../../core/materials/rows.ts'
import { choice } from '../../../http/choice.ts'
import { integerText } from '../../../http/integer-text.ts'
import { nullable, pageQuery, Timestamp } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'

const MaterialType = choice(MATERIAL_TYPES)
export const MaterialStatus = choice(['processing', 'active', 'hidden'])

export const MaterialId = t.Object({ material_id: integerText({ minimum: 1, maximum: 2_147_483_647 }) })

export const MaterialQuery = t.Object({
  ...pageQuery,
  sort_by: choice(['created_at', 'view_count', 'like_count'], { default: 'created_at' }),
  sort_order: choice(['asc', 'desc'], { default: 'desc' }),
  // Not a choice, because an unknown type has an error code of its own.
  material_type: t.Optional(t.String({ maxLength: 50 })),
})

const uploaded = {
  id: t.Integer(),
  title: t.String(),
  description: t.String(),
  type: MaterialType,
  file_path: t.String(),
  file_size: t.Integer(),
  file_format: choice(['mp4', 'webm', 'pdf']),
  thumbnail_path: nullable(t.String()),
  uploader_id: t.Integer(),
  view_count: t.Integer(),
  like_count: t.Integer(),
  status: MaterialStatus,
  created_at: Timestamp,
  updated_at: Timestamp,
  file_url: t.String(),
  thumbnail_url: nullable(t.String()),
}
/** What its uploader sees of a material. */
export const Uploaded = t.Object(uploaded)
export type Uploaded = Static<typeof Uploaded>

export const Material = t.Object({
  ...uploaded,
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
        type: MaterialType,
        thumbnail_path: nullable(t.String()),
        view_count: t.Integer(),
        like_count: t.Integer(),
      }),
    ),
  }),
])
export type MaterialDetail = Static<typeof MaterialDetail>

export const Like = t.Object({ is_liked: t.Boolean(), like_count: t.Integer() })
export type Like = Static<typeof Like>

named({
  MaterialType,
  MaterialStatus,
  UploadedMaterial: Uploaded,
  Material,
  MaterialDetail,
  MaterialLike: Like,
})
