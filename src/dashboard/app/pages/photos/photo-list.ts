/** A list of photos of any length, of which the pages around the visible part are in memory. */
import { batch, signal } from '@preact/signals'
import { dataOf } from '../../../../client/index.ts'
import { api } from '../../lib/session.ts'
import { keyOf, listQuery, type PhotoFilter, searchQuery } from './filter.ts'

const photosOf = () => api().portfolio.photos
const listPage = (
  query: ReturnType<typeof listQuery> & { page: number; limit: number },
  signal: AbortSignal,
) => dataOf(photosOf().get({ query, signal }))
const searchPage = (
  query: ReturnType<typeof searchQuery> & { page: number; limit: number },
  signal: AbortSignal,
) => dataOf(photosOf().search.get({ query, signal }))

export type Photo = Awaited<ReturnType<typeof listPage>>['data'][number]
type SearchResult = Awaited<ReturnType<typeof searchPage>>['data']
export type FoundPhoto = SearchResult['photos'][number]
export type Facets = SearchResult['facets']

/** The most that the server gives at a time. */
const PAGE = 100
/** Pages in memory; those that were used the longest time ago go. */
const MOST_PAGES = 12
/** The user scrolls through more than this without stopping: nothing is fetched of it. */
const SETTLED_MS = 90

export class PhotoList {
  readonly total = signal<number | undefined>(undefined)
  readonly facets = signal<Facets | undefined>(undefined)
  /** Grows when photos come or change, so that components that have read it are shown anew. */
  readonly revision = signal(0)
  /** Where the page was scrolled to when it was left. */
  scrollTop = 0
  private readonly pages = new Map<number, readonly (Photo | FoundPhoto)[]>()
  /** The pages that the user looks at. */
  private wanted: readonly number[] = [0]
  private fetching: AbortController | undefined

  constructor(readonly filter: PhotoFilter) {}

  /** Undefined while its page is not in memory. */
  at(index: number): Photo | FoundPhoto | undefined {
    void this.revision.value
    return this.pages.get(Math.floor(index / PAGE))?.[index % PAGE]
  }

  /** The place of a photo, if its page is in memory. */
  indexOf(id: number): number | undefined {
    for (const [page, photos] of this.pages) {
      const found = photos.findIndex((photo) => photo.id === id)
      if (found >= 0) return page * PAGE + found
    }
    return undefined
  }

  /** Fetches the photos that the user looks at, now that the list may have changed. */
  async reload(signal: AbortSignal): Promise<void> {
    this.fetching?.abort()
    const fresh = await Promise.all(this.wanted.map((page) => this.fetch(page, signal)))
    if (signal.aborted) return
    batch(() => {
      this.pages.clear()
      for (const answer of fresh) this.take(answer)
    })
    // The user has scrolled meanwhile.
    await this.fetchMissing()
  }

  /** The user looks at these places. Resolves when their photos are there, or when another call fetches what is wanted then. */
  async show(first: number, last: number): Promise<void> {
    this.wanted = range(Math.floor(Math.max(0, first) / PAGE), Math.floor(Math.max(0, last) / PAGE))
    await this.fetchMissing()
  }

  private async fetchMissing(): Promise<void> {
    const missing = this.wanted.filter((page) => !this.pages.has(page))
    if (missing.length === 0) return
    this.fetching?.abort()
    this.fetching = new AbortController()
    const { signal } = this.fetching
    const before = this.revision.peek()
    try {
      const fresh = await Promise.all(missing.map((page) => this.fetch(page, signal)))
      if (signal.aborted) return
      // A change came meanwhile, which these answers may lack.
      if (this.revision.peek() !== before) return await this.fetchMissing()
      batch(() => {
        for (const answer of fresh) this.take(answer)
      })
    } catch (error) {
      // Another call fetches what is wanted now.
      if (!signal.aborted) throw error
    }
  }

  /** Like `show`, when the user has stopped scrolling. @returns a function that ends the wait */
  showSoon(first: number, last: number, onError: (error: unknown) => void): () => void {
    const timer = setTimeout(() => {
      this.show(first, last).catch(onError)
    }, SETTLED_MS)
    return () => clearTimeout(timer)
  }

  /** Changes a photo in memory. */
  change(id: number, fields: Partial<Photo>): void {
    const index = this.indexOf(id)
    if (index === undefined) return
    const page = Math.floor(index / PAGE)
    this.pages.set(
      page,
      this.pages.get(page)!.map((photo) => (photo.id === id ? { ...photo, ...fields } : photo)),
    )
    this.revision.value++
  }

  private async fetch(page: number, signal: AbortSignal) {
    const at = { page: page + 1, limit: PAGE }
    if (this.filter.q) {
      const { data, pagination } = await searchPage({ ...searchQuery(this.filter), ...at }, signal)
      return { page, photos: data.photos, facets: data.facets, total: pagination.total }
    }
    const { data, pagination } = await listPage({ ...listQuery(this.filter), ...at }, signal)
    return { page, photos: data, facets: undefined, total: pagination.total }
  }

  private take({ page, photos, facets, total }: Awaited<ReturnType<PhotoList['fetch']>>): void {
    // At the end, as the one that was used last.
    this.pages.delete(page)
    this.pages.set(page, photos)
    for (const old of this.pages.keys()) {
      if (this.pages.size <= MOST_PAGES) break
      if (!this.wanted.includes(old)) this.pages.delete(old)
    }
    this.total.value = total
    this.facets.value = facets
    this.revision.value++
  }
}

const range = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index)

let newest: PhotoList | undefined

/** The list of the filter. The one that was used last is kept: a photo's page finds the neighbours in it. */
export function photoList(filter: PhotoFilter): PhotoList {
  if (!newest || keyOf(newest.filter) !== keyOf(filter)) newest = new PhotoList(filter)
  return newest
}
