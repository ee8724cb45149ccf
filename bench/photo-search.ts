/** The first page of a search with facets, and pages of lists, of 100,000 photos, against reading one photo by its key. */
import { listPhotos, type PhotoQuery } from '../src/core/photos/list.ts'
import { searchPhotos } from '../src/core/photos/search.ts'
import { measurePhotoReads, type PhotoRead } from './support/photo-reads.ts'
import type { Row } from './support/table.ts'

const search = (query: string, share: string, target: number): PhotoRead => ({
  name: `first page with facets of ${query} (${share})`,
  target,
  read: async (ctx) => {
    // As after a change of a photo, so that nothing is kept.
    await ctx.cache.clear(['photos'])
    return searchPhotos(ctx, undefined, { query, tags: [], page: 1, limit: 20 })
  },
})

/** As every page of a search while no photo changes. */
const keptSearch = (query: string, share: string, target: number): PhotoRead => ({
  name: `the same again of ${query} (${share})`,
  target,
  read: (ctx) => searchPhotos(ctx, undefined, { query, tags: [], page: 1, limit: 20 }),
})

const list = (name: string, query: Partial<PhotoQuery>): PhotoRead => ({
  name,
  target: 5,
  read: (ctx) =>
    listPhotos(ctx, undefined, { page: 1, limit: 20, sortBy: 'createdAt', sortOrder: 'desc', ...query }),
})

const SUBJECTS: PhotoRead[] = [
  search('夜景', '1 %', 10),
  keptSearch('夜景', '1 %', 10),
  search('yejing', '1 %', 10),
  search('水乡', '8 %', 150),
  search('江南水乡', '8 %', 150),
  search('brid', '8 %', 150),
  list('first page of all', {}),
  list('first page of a category', { category: 3 }),
  list('first page of a tag', { tag: '标签7' }),
  list('page 1000 by title', { page: 1000, sortBy: 'title' }),
]

export const photoSearch = (): Promise<Row[]> => measurePhotoReads('photos', SUBJECTS)
