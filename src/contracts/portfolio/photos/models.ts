/** Wire models of photos: docs/contracts/portfolio.md, "Photos". */
import { type Static, t } from 'elysia'
import { PHOTO_STATUSES, PHOTO_VISIBILITIES } from '../../../core/photos/rows.ts'
import { choice } from '../../../http/choice.ts'
import { integerText } from '../../../http/integer-text.ts'
import { nullable, optional, Timestamp, wholeNumber } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'
import { typed } from '../../../http/typed.ts'
import { photoPageQuery } from '../contract.ts'
import { FileId, IdNumber, IdText } from '../ids.ts'

const Status = choice(PHOTO_STATUSES)
const Visibility = choice(PHOTO_VISIBILITIES)

/** The fields of the query of a list of photos that choose its order. */
export const sortQuery = {
  sort_by: choice(['created_at', 'taken_at', 'title'], { default: 'created_at' }),
  sort_order: choice(['asc', 'desc'], { default: 'desc' }),
}

export const PhotoQuery = t.Object({
  ...photoPageQuery,
  ...sortQuery,
  status: t.Optional(Status),
  category: t.Optional(IdText),
  // An empty one filters nothing, as forms send it.
  tag: t.Optional(t.String({ maxLength: 100 })),
  search: t.Optional(t.String({ maxLength: 200 })),
  year: t.Optional(integerText({ minimum: 1, maximum: 9999 })),
  month: t.Optional(integerText({ minimum: 1, maximum: 12 })),
})

const CategoryIds = t.Array(IdNumber, { maxItems: 50 })
const TagNames = t.Array(t.String({ minLength: 1, maxLength: 200 }), { maxItems: 50 })
const placeText = optional(t.String({ maxLength: 200 }))

const input = {
  title: t.String({ minLength: 1, maxLength: 200, ...typed('title') }),
  description: optional(t.String({ maxLength: 10_000 })),
  status: t.Optional(Status),
  visibility: t.Optional(Visibility),
  sort_order: t.Optional(wholeNumber({ minimum: -1_000_000, maximum: 1_000_000 })),
  /** RFC 3339, with an offset. Null for the time that the file says. */
  taken_at: optional(t.String({ minLength: 1, maxLength: 40 })),
  /** Null for the place that the file says, which other viewers do not see. */
  location: optional(
    t.Object({
      name: placeText,
      latitude: optional(t.Number({ minimum: -90, maximum: 90 })),
      longitude: optional(t.Number({ minimum: -180, maximum: 180 })),
      country: placeText,
      city: placeText,
    }),
  ),
  categories: t.Optional(CategoryIds),
  tags: t.Optional(TagNames),
  metadata: optional(t.Record(t.String(), t.Unknown())),
}
export const NewPhoto = t.Object({ ...input, file_id: FileId })
export const PhotoChange = t.Object({ ...input, title: t.Optional(input.title) })
export type PhotoChange = Static<typeof PhotoChange>

const Action = choice([
  'update_status',
  'add_tags',
  'remove_tags',
  'add_categories',
  'remove_categories',
  'delete',
])
export const Batch = t.Object({
  photo_ids: t.Array(IdNumber, { minItems: 1, maxItems: 100 }),
  action: Action,
  data: optional(
    t.Object({
      status: t.Optional(Status),
      tags: t.Optional(TagNames),
      categories: t.Optional(CategoryIds),
    }),
  ),
})
export type Batch = Static<typeof Batch>

export const BatchResult = t.Object({
  action: Action,
  succeeded: t.Array(t.Integer()),
  failed: t.Array(t.Object({ id: t.Integer(), error: t.String(), code: t.String() })),
  summary: t.Object({ total: t.Integer(), success: t.Integer(), failed: t.Integer() }),
})
export type BatchResult = Static<typeof BatchResult>

const Formats = t.Object({
  original: t.String(),
  display: t.String(),
  /** The same as `display`. */
  jpg: t.String(),
  webp: t.String(),
  thumb_small: t.String(),
  thumb_medium: t.String(),
  thumb_large: t.String(),
})

const PhotoExif = t.Object({
  camera: nullable(t.String()),
  lens: nullable(t.String()),
  iso: nullable(t.Number()),
  aperture: nullable(t.String()),
  shutter_speed: nullable(t.String()),
  focal_length: nullable(t.String()),
})

const Location = t.Object({
  name: t.String(),
  latitude: nullable(t.Number()),
  longitude: nullable(t.Number()),
  country: t.String(),
  city: t.String(),
})
export type Location = Static<typeof Location>

const category = { id: t.Integer(), name: t.String(), slug: t.String(), color: t.String() }
const PhotoCategory = t.Object(category)
const PhotoCategoryDetail = t.Object({ ...category, description: t.String(), is_primary: t.Boolean() })

const tag = { id: t.Integer(), name: t.String(), slug: t.String(), color: t.String() }
const PhotoTag = t.Object(tag)
const PhotoTagDetail = t.Object({ ...tag, confidence: t.Number(), source: choice(['manual', 'ai']) })

const photo = {
  id: t.Integer(),
  title: t.String(),
  description: t.String(),
  slug: t.String(),
  status: Status,
  visibility: Visibility,
  taken_at: nullable(Timestamp),
  created_at: Timestamp,
  updated_at: Timestamp,
  view_count: t.Integer(),
  like_count: t.Integer(),
  formats: Formats,
  exif: PhotoExif,
  location: Location,
  categories: t.Array(PhotoCategory),
  tags: t.Array(PhotoTag),
  /** Of the picture as it is shown, in pixels; null until the file has been processed. */
  width: nullable(t.Integer()),
  height: nullable(t.Integer()),
  /** A thumbhash in base64, to draw before the picture is there. */
  placeholder: nullable(t.String()),
  processing_status: choice(['pending', 'processing', 'completed', 'failed']),
  /** The upload that the photo was made of. Null for who may not change the photo. */
  file_id: nullable(t.String()),
}
export const Photo = t.Object(photo)
export type Photo = Static<typeof Photo>

export const PhotoDetail = t.Object({
  ...photo,
  sort_order: t.Integer(),
  download_count: t.Integer(),
  file_info: t.Object({ original_filename: t.String(), file_size: t.Integer(), mime_type: t.String() }),
  categories: t.Array(PhotoCategoryDetail),
  tags: t.Array(PhotoTagDetail),
  metadata: t.Record(t.String(), t.Unknown()),
})
export type PhotoDetail = Static<typeof PhotoDetail>

named({
  Photo,
  PhotoDetail,
  PhotoFormats: Formats,
  PhotoExif,
  PhotoLocation: Location,
  PhotoBatchResult: BatchResult,
})
