import { type SQL, sql } from 'drizzle-orm'
import { photoIndex } from '../../db/schema/index.ts'

/** The ids of a category and of all below it, as an array. */
export const idsInTree = (categoryId: number): SQL => sql`array(
  select below.id from categories top join categories below on starts_with(below.path || '/', top.path || '/')
  where top.id = ${categoryId})`

/** The rows of `photo_index` whose photos are in a category or below it. */
export const inCategory = (categoryId: number): SQL =>
  sql`${photoIndex.categoryIds} && ${idsInTree(categoryId)}`

/** Whether neither the category nor one above it is inactive. @param category the alias of `categories` in the statement */
export const isActiveCategory = (category: string): SQL =>
  sql.raw(`${category}.is_active and (${category}.level = 0 or not exists (
    select from categories above
    where above.id = any(string_to_array(${category}.path, '/')::int[]) and not above.is_active))`)

/**
 * Selects the `id` of each category and the `count` of the photos in it or below it, each photo once.
 * @param combinations a relation: `ids`, an array of categories that some photos have together, and the number of these `photos`
 */
export const countInTree = (combinations: SQL): SQL => sql`
  select id, sum(photos)::int as count from (
    select distinct ids, photos, above::int as id
    from ${combinations}, unnest(ids) as direct join categories on categories.id = direct, unnest(string_to_array(path, '/')) as above
  ) each group by id`
