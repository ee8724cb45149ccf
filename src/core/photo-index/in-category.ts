import { type SQL, sql } from 'drizzle-orm'
import { photoIndex } from '../../db/schema/index.ts'

/** The ids of a category and of all below it, as an array. */
export const idsInTree = (categoryId: number): SQL => sql`array(
  select below.id from categories top join categories below on starts_with(below.path || '/', top.path || '/')
  where top.id = ${categoryId})`

/** The rows of `photo_index` whose photos are in a category or below it. */
export const inCategory = (categoryId: number): SQL =>
  sql`${photoIndex.categoryIds} && ${idsInTree(categoryId)}`
