import { type SQL, sql } from 'drizzle-orm'
import { arrayLiteral } from '../../db/arrays.ts'
import { preparedSql } from '../../db/prepared.ts'
import { rowReader } from '../../db/row-reader.ts'
import { photoFiles, photos } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import type { PhotoFile } from '../photo-files/rows.ts'
import { isActiveCategory } from '../photo-index/category-tree.ts'
import type { Photo } from './rows.ts'

export interface CategoryOfPhoto {
  id: number
  name: string
  slug: string
  description: string
  color: string | null
  isPrimary: boolean
  /** Neither the category nor one above it is inactive. */
  isActive: boolean
}

export interface TagOfPhoto {
  id: number
  name: string
  slug: string
  color: string | null
  /** 0 to 1. */
  confidence: number
  source: 'manual' | 'ai'
  isActive: boolean
}

/** What a view is made of. */
export const SHOWN_OF_PHOTOS = ['photos', 'categories', 'tags'] as const

/** A photo with everything that a list or a page shows of it, for every viewer: presenters leave out what one may not see. */
export interface PhotoView extends Photo {
  file: PhotoFile
  /** The primary one first. */
  categories: CategoryOfPhoto[]
  /** In the owner's order. */
  tags: TagOfPhoto[]
}

/**
 * The columns of a view, from `photos p` and `photo_files f`. One statement, because a query for each part would double the
 * time. `limit 1` makes PostgreSQL look each category and tag up by its id: without statistics, which the embedded database
 * has only some minutes after a table has grown, it takes a photo to have a thousand tags and reads the whole table.
 */
const viewColumns: SQL = sql`
  row_to_json(f) as file, p.*,
  (select coalesce(json_agg(json_build_object('id', c.id, 'name', c.name, 'slug', c.slug, 'description', c.description,
      'color', c.color, 'isPrimary', pc.is_primary, 'isActive', ${isActiveCategory('c')}) order by pc.is_primary desc, c.sort_order, c.id), '[]')
    from photo_categories pc cross join lateral (select * from categories where id = pc.category_id limit 1) c
    where pc.photo_id = p.id) as categories,
  (select coalesce(json_agg(json_build_object('id', t.id, 'name', t.name, 'slug', t.slug, 'color', t.color,
      'confidence', pt.confidence, 'source', pt.source, 'isActive', t.is_active) order by pt.position, t.id), '[]')
    from photo_tags pt cross join lateral (select * from tags where id = pt.tag_id limit 1) t
    where pt.photo_id = p.id) as tags`

interface ViewRow extends Record<string, unknown> {
  id: number
  file: Record<string, unknown>
  categories: CategoryOfPhoto[]
  tags: TagOfPhoto[]
}

const readPhotoRow = rowReader(photos)
const readFileRow = rowReader(photoFiles)

const readView = (row: ViewRow): PhotoView => ({
  ...readPhotoRow(row),
  file: readFileRow(row.file),
  categories: row.categories,
  tags: row.tags,
})

const viewsById = preparedSql<ViewRow>(
  'photo_views',
  sql`
    select ${viewColumns} from photos p join photo_files f on f.id = p.file_id
      join users u on u.id = p.user_id and u.deleted_at is null
    where p.id = any(${sql.placeholder('ids')}::int[])`,
)

/**
 * The photos with these ids, in this order, in one query. An id that no photo has is left out, and so is a photo of a deleted
 * user. No other visibility is checked.
 */
export async function viewPhotos(ctx: Context, ids: readonly number[]): Promise<PhotoView[]> {
  if (ids.length === 0) return []
  const rows = await viewsById(ctx.db).execute({ ids: arrayLiteral(ids) })
  const views = new Map(rows.map((row) => [row.id, readView(row)]))
  return ids.flatMap((id) => views.get(id) ?? [])
}
