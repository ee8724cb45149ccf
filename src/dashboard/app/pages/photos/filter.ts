/** Which photos a list has and in which order, as the address of the page says it. */
import { href } from '../../lib/router.ts'

export interface PhotoFilter {
  /** Words to search for. */
  q?: string
  /** The id of a category. */
  category?: string
  /** The name of a tag. */
  tag?: string
  status?: 'draft' | 'published' | 'archived'
  year?: string
  month?: string
  sort?: Sort
}

const SORTS = {
  newest: ['created_at', 'desc'],
  taken: ['taken_at', 'desc'],
  oldest: ['taken_at', 'asc'],
  title: ['title', 'asc'],
} as const
export type Sort = keyof typeof SORTS

const NAMES = ['q', 'category', 'tag', 'status', 'year', 'month', 'sort'] as const

export const filterOf = (query: URLSearchParams): PhotoFilter =>
  Object.fromEntries(NAMES.flatMap((name) => (query.get(name) ? [[name, query.get(name)]] : [])))

/** The same for the same filter. */
export const keyOf = (filter: PhotoFilter): string => JSON.stringify(NAMES.map((name) => filter[name] ?? ''))

export const listHref = (filter: PhotoFilter): string => href('/photos', { ...filter })

/** @param at the place of the photo in the list, for the way to its neighbours */
export const photoHref = (id: number, filter: PhotoFilter, at: number): string =>
  href(`/photos/${id}`, { ...filter, at })

/** The query of `GET /v1/photos`. */
export function listQuery({ category, tag, status, year, month, sort = 'newest' }: PhotoFilter) {
  const [sort_by, sort_order] = SORTS[sort]
  return {
    sort_by,
    sort_order,
    ...(category && { category: Number(category) }),
    ...(tag && { tag }),
    ...(status && { status }),
    ...(year && { year: Number(year) }),
    ...(month && { month: Number(month) }),
  }
}

/** The query of `GET /v1/photos/search`, which has days in place of years and months. */
export const searchQuery = ({ q = '', category, tag, year, month }: PhotoFilter) => ({
  q,
  ...(category && { category: Number(category) }),
  ...(tag && { tags: tag }),
  ...(year && daysOf(year, month)),
})

function daysOf(year: string, month: string | undefined) {
  const first = month ? `${month.padStart(2, '0')}-01` : '01-01'
  // The day before the first of the next month, in UTC as the server counts.
  const last = month ? new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate() : 31
  return {
    date_from: `${year.padStart(4, '0')}-${first}`,
    date_to: `${year.padStart(4, '0')}-${(month ?? '12').padStart(2, '0')}-${last}`,
  }
}
