import { and, type SQL, sql } from 'drizzle-orm'
import { photoIndex } from '../../db/schema/index.ts'
import { storable } from '../../util/storable.ts'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import { cached } from '../generations/cached.ts'
import { countInTree, inCategory, isActiveCategory } from '../photo-index/category-tree.ts'
import { countFacets, type FacetCounts, newest, noCounts } from '../photo-index/facets.ts'
import type { Piece } from '../photo-index/fold.ts'
import { excerpt, highlight } from '../photo-index/highlight.ts'
import {
  ALL_FIELDS,
  hasTerms,
  matchLocation,
  queryPieces,
  runChecks,
  termQuery,
  wholeTitleQuery,
} from '../photo-index/match.ts'
import { scopeOf, seesAllPhotos, type Viewer, visibleTo } from '../photo-index/visibility.ts'
import { tagKey } from '../tags/names.ts'
import { sees } from './read.ts'
import { type PhotoView, SHOWN_OF_PHOTOS, viewPhotos } from './view.ts'

/** Categories and tags that are counted; the most frequent ones. */
const MAX_FACETS = 50
/** By rank, as `termQueries`. */
const SCORES = [0.4, 0.7, 0.9, 1]

export interface SearchQuery {
  query: string
  /** A category: photos in the categories below it count too. */
  category?: number | undefined
  /** Names of tags. A photo has all of them. */
  tags: string[]
  location?: string | undefined
  /** Days in UTC on which the photos were taken, as YYYY-MM-DD, the last one included. */
  dateFrom?: string | undefined
  dateTo?: string | undefined
  /** Words that the name of the camera or the lens has. */
  camera?: string | undefined
  lens?: string | undefined
  page: number
  limit: number
}

export interface FoundPhoto {
  photo: PhotoView
  /** 0 to 1. */
  score: number
  /** HTML. */
  highlight: { title: string; description: string }
}

export interface Facets {
  categories: Named[]
  tags: Named[]
  years: { year: number; count: number }[]
}
interface Named {
  id: number
  name: string
  count: number
}

const NO_FACETS: Facets = { categories: [], tags: [], years: [] }

export interface FoundPage {
  photos: readonly FoundPhoto[]
  /** Of all pages. */
  total: number
  facets: Facets
}

interface Found extends Omit<FoundPage, 'photos'> {
  page: { id: number; rank: number }[]
}

/**
 * The photos that a query finds among those that the viewer may see: the best first, then the newest. Facets count all of
 * them, not only those of the page.
 * @throws AppError INVALID_RANGE
 */
export async function searchPhotos(ctx: Context, viewer: Viewer, query: SearchQuery): Promise<FoundPage> {
  if (query.dateFrom && query.dateTo && query.dateFrom > query.dateTo) throw new AppError('INVALID_RANGE')
  const pieces = queryPieces(query.query)
  if (pieces.length === 0) return { photos: [], total: 0, facets: NO_FACETS }
  // A client may name the filters in any order.
  const key = ['search', scopeOf(viewer), Object.entries(query).sort()] as const
  return cached(ctx, { of: SHOWN_OF_PHOTOS, key }, () => findPage(ctx, viewer, pieces, query))
}

async function findPage(
  ctx: Context,
  viewer: Viewer,
  pieces: Piece[],
  query: SearchQuery,
): Promise<FoundPage> {
  const { page, total, facets } = await findPhotos(ctx, viewer, pieces, query)
  const views = await viewPhotos(
    ctx,
    page.map(({ id }) => id),
  )
  const rankOf = new Map(page.map(({ id, rank }) => [id, rank]))
  const photos = views
    // A photo may have been hidden since the order was read.
    .filter((photo) => sees(viewer, photo))
    .map((photo) => ({
      photo,
      score: SCORES[rankOf.get(photo.id)!]!,
      highlight: {
        title: highlight(photo.title, pieces),
        description: excerpt(photo.description, pieces),
      },
    }))
  return { photos, total, facets }
}

/**
 * The server counts the facets and takes the page from one line of each photo that is found, of about 40 bytes. It holds the
 * lines only while it counts.
 */
async function findPhotos(ctx: Context, viewer: Viewer, pieces: Piece[], query: SearchQuery): Promise<Found> {
  const where = and(...runChecks(pieces), visibleTo(viewer), ...conditions(query)) ?? sql`true`
  const ranks = termQueries(pieces).map(
    (terms, rank) => sql`
      (select ${rank}::int as rank, string_agg(facets, E'\n') as lines
      from (select facets from photo_index where ${hasTerms(terms)} and ${where} ${ALONE}) found)`,
  )
  const rows = await ctx.db.execute<{ rank: number; lines: string | null }>(
    sql`${sql.join(ranks, sql` union all `)} order by rank desc`,
  )
  const counts = noCounts()
  const page: Found['page'] = []
  let total = 0
  for (const { rank, lines } of rows) {
    if (lines === null) continue
    const photos = countFacets(lines, counts)
    const offset = Math.max(0, (query.page - 1) * query.limit - total)
    for (const id of newest(photos, offset, query.limit - page.length)) page.push({ id, rank })
    total += photos.ids.length
  }
  return { page, total, facets: total === 0 ? NO_FACETS : await facetsOf(ctx, viewer, counts) }
}

/**
 * Which terms a photo has, by rank: the description is needed; title, tags, categories and location have the words; the title
 * has them; they are the whole title. A photo has one rank.
 */
function termQueries(pieces: Piece[]): string[] {
  const all = termQuery(pieces, ALL_FIELDS)
  const named = termQuery(pieces, ['title', 'name', 'location'])
  const inTitle = termQuery(pieces, ['title'])
  const title = wholeTitleQuery(pieces)
  return [`${all}&!(${named})`, `${named}&!(${inTitle})`, `${inTitle}&!${title}`, title]
}

/** PostgreSQL gives a part with a limit to no parallel worker: starting the workers would take longer than the search. */
const ALONE = sql.raw('limit 1000000000')

async function facetsOf(
  ctx: Context,
  viewer: Viewer,
  { years, combinations, tagIds }: FacetCounts,
): Promise<Facets> {
  const all = seesAllPhotos(viewer)
  const [named] = await ctx.db.execute<Pick<Facets, 'categories' | 'tags'>>(sql`
    select (${facet(countedCategories(combinations), 'categories', all)}) as categories,
      (${facet(countedTags(tagIds), 'tags', all)}) as tags`)
  return {
    ...named!,
    years: [...years]
      .filter(([year]) => year !== '')
      .map(([year, count]) => ({ year: Number(year), count }))
      .sort((a, b) => b.year - a.year),
  }
}

/** The counts come as JSON, because PostgreSQL would make a plan for each array anew. */
const countedCategories = (combinations: FacetCounts['combinations']): SQL => {
  const rows = JSON.stringify([...combinations].map(([ids, photos]) => ({ ids, photos })))
  return countInTree(sql`(
    select string_to_array(ids, ',')::int[] as ids, photos
    from json_to_recordset(${rows}::text::json) as combination (ids text, photos int)
  ) combinations`)
}

const countedTags = (tagIds: FacetCounts['tagIds']): SQL => {
  const rows = JSON.stringify([...tagIds].map(([id, count]) => ({ id, count })))
  return sql`select * from json_to_recordset(${rows}::text::json) as tag (id int, count int)`
}

const ACTIVE = { categories: isActiveCategory('named'), tags: sql.raw('named.is_active') }

/**
 * The counts are read in their order, each with its name, until there are enough of them.
 * @param counted selects ids and counts
 * @param all whether inactive categories or tags are among them, which only administrators see
 */
const facet = (counted: SQL, table: keyof typeof ACTIVE, all: boolean): SQL => sql`
  select coalesce(json_agg(json_build_object('id', id, 'name', name, 'count', count) order by count desc, name collate "C", id), '[]')
  from (
    select counted.id, named.name, counted.count from (${counted} order by count desc, id) counted
    cross join lateral (select * from ${sql.raw(table)} where id = counted.id limit 1) named
    where ${all ? sql`true` : ACTIVE[table]} order by counted.count desc, counted.id limit ${sql.raw(String(MAX_FACETS))}
  ) facets`

function conditions({
  category,
  tags,
  location,
  dateFrom,
  dateTo,
  camera,
  lens,
}: SearchQuery): (SQL | undefined)[] {
  return [
    category === undefined ? undefined : inCategory(category),
    tags.length === 0 ? undefined : hasTags(tags),
    location === undefined ? undefined : matchLocation(location),
    dateFrom === undefined
      ? undefined
      : sql`${photoIndex.takenAt} >= ${dateFrom}::timestamp at time zone 'UTC'`,
    dateTo === undefined
      ? undefined
      : sql`${photoIndex.takenAt} < (${dateTo}::timestamp + interval '1 day') at time zone 'UTC'`,
    ...hasWords(sql`${photoIndex.camera}`, camera),
    ...hasWords(sql`${photoIndex.lens}`, lens),
  ]
}

/** A name that no tag has leaves no photo. */
function hasTags(names: string[]): SQL {
  const keys = [...new Set(names.map((name) => tagKey(storable(name))))]
  return sql`${photoIndex.tagIds} @> (
    select case when count(*) = ${keys.length} then array_agg(id) else array[0] end from tags
    where name_key in (${sql.join(
      keys.map((key) => sql`${key}`),
      sql`, `,
    )}))`
}

const hasWords = (column: SQL, text: string | undefined): SQL[] =>
  storable(text ?? '')
    .split(/\s+/)
    .filter(Boolean)
    .map((word) => sql`strpos(lower(${column}), lower(${word})) > 0`)
