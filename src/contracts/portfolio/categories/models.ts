/** Wire models of categories: docs/contracts/portfolio.md, "Categories". */
import { type Static, t } from 'elysia'
import { nullable, optional, Timestamp, wholeNumber } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'
import { typed } from '../../../http/typed.ts'
import { photoPageQuery } from '../contract.ts'
import { IdNumber } from '../ids.ts'
import { sortQuery } from '../photos/models.ts'

export const CategoryQuery = t.Object({
  include_stats: t.Optional(t.Boolean()),
  include_tree: t.Optional(t.Boolean()),
})

const ref = { id: t.Integer(), name: t.String(), slug: t.String() }
const CategoryRef = t.Object(ref)

const CategoryCover = t.Object({ id: t.Integer(), title: t.String(), thumb_url: t.String() })

const category = {
  ...ref,
  description: t.String(),
  parent_id: nullable(t.Integer()),
  /** 0 at the root. */
  level: t.Integer(),
  /** The ids from the root to the category itself: `1/2`. */
  path: t.String(),
  cover_photo: nullable(CategoryCover),
  color: t.String(),
  icon: t.String(),
  sort_order: t.Integer(),
  is_active: t.Boolean(),
  is_featured: t.Boolean(),
  /** Photos in the category and below it that the viewer may see, each once. */
  photo_count: t.Integer(),
  direct_photo_count: t.Integer(),
  created_at: Timestamp,
  updated_at: Timestamp,
}
export const Category = t.Object(category)
export type Category = Static<typeof Category>

/** A category with those below it. */
export interface CategoryNode {
  id: number
  name: string
  slug: string
  photo_count: number
  children: CategoryNode[]
}
const CategoryNode = t.Object({
  ...ref,
  photo_count: t.Integer(),
  children: t.Array(t.Unsafe<CategoryNode>({ $ref: '#/components/schemas/CategoryNode' })),
})

const CategoryStats = t.Object({
  total_categories: t.Integer(),
  /** Of the deepest category; a category at the root has 0. */
  max_level: t.Integer(),
  featured_count: t.Integer(),
})

export const CategoryList = t.Object({
  categories: t.Array(Category),
  tree: t.Optional(t.Array(CategoryNode)),
  stats: t.Optional(CategoryStats),
})
export type CategoryList = Static<typeof CategoryList>

const CategoryChild = t.Object({ ...ref, photo_count: t.Integer() })

export const CategoryDetail = t.Object({
  ...category,
  seo_title: t.String(),
  seo_description: t.String(),
  /** From the root to the parent. */
  ancestors: t.Array(CategoryRef),
  children: t.Array(CategoryChild),
})
export type CategoryDetail = Static<typeof CategoryDetail>

const CategoryName = t.String({ minLength: 1, maxLength: 100, ...typed('name') })

const settings = {
  slug: t.Optional(t.String({ minLength: 1, maxLength: 100 })),
  description: optional(t.String({ maxLength: 2000 })),
  /** Null is the root. */
  parent_id: optional(IdNumber),
  color: optional(t.String({ pattern: '^#[0-9A-Fa-f]{6}$' })),
  icon: optional(t.String({ maxLength: 50 })),
  sort_order: t.Optional(wholeNumber({ minimum: -1_000_000, maximum: 1_000_000 })),
  is_active: t.Optional(t.Boolean()),
  is_featured: t.Optional(t.Boolean()),
  seo_title: optional(t.String({ maxLength: 200 })),
  seo_description: optional(t.String({ maxLength: 500 })),
}
export const NewCategory = t.Object({ name: CategoryName, ...settings })
export const CategoryChange = t.Object({ name: t.Optional(CategoryName), ...settings })

/** Null takes the cover away. */
export const Cover = t.Object({ photo_id: nullable(IdNumber) })

export const CategoryPhotosQuery = t.Object({ ...photoPageQuery, ...sortQuery })

const photoIds = t.Array(IdNumber, { minItems: 1, maxItems: 100 })
export const AddedPhotos = t.Object({ photo_ids: photoIds, is_primary: t.Optional(t.Boolean()) })
export const RemovedPhotos = t.Object({ photo_ids: photoIds })

named({ Category, CategoryCover, CategoryNode, CategoryStats, CategoryList, CategoryDetail })
