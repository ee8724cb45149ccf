import { and, arrayContains, type SQL, sql } from 'drizzle-orm'
import { photoIndex } from '../../db/schema/index.ts'
import { storable } from '../../util/storable.ts'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
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
import type { PhotoView } from './view.ts'

/** Categories and tags that are counted; the most frequent ones. */
const MAX_FACETS = 50
/** By rank: the words are in the description too; in the title, a tag, a category or the location; in the title; they are the title. */
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

interface Found extends Record<string, unknown> {
  page: { id: number; rank: number }[]
  total: number
  facets: Facets
}

/**
 * The photos that a query finds among those that the viewer may see: the best first, then the newest. Facets count all of
 * them, not only those of the page. The order and the counts are kept until a photo changes.
 * @throws AppError INVALID_RANGE
 */
export async function searchPhotos(
  ctx: Context,
  viewer: Viewer,
  query: SearchQuery,
): Promise<{ photos: FoundPhoto[]; total: number; facets: Facets }> {
  if (query.dateFrom && query.dateTo && query.dateFrom > query.dateTo) throw new AppError('INVALID_RANGE')
  const pieces = queryPieces(query.query)
  if (pieces.length === 0) return { photos: [], total: 0, facets: { categories: [], tags: [], years: [] } }
  const key = `search ${scopeOf(viewer)} ${JSON.stringify(query)}`
  const { page, total, facets } = await ctx.services.photoAggregates.get(key, async () => {
    const [found] = await ctx.db.execute<Found>(searchStatement(viewer, pieces, query))
    return found!
  })
  const views = await ctx.services.photoViews.get(
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
 * One statement. It reads the row of each photo once: first of those that have the words in the title, then of the others. It
 * asks for the whole title and for the names only where there are such photos.
 */
function searchStatement(viewer: Viewer, pieces: Piece[], query: SearchQuery): SQL {
  const inTitle = termQuery(pieces, ['title'])
  const elsewhere = `${termQuery(pieces, ALL_FIELDS)}&!(${inTitle})`
  const named = termQuery(pieces, ['title', 'name', 'location'])
  const rest = and(...runChecks(pieces), visibleTo(viewer), ...conditions(query)) ?? sql`true`
  return sql`
    with matched as materialized (
      (${SELECTED}, 2 as rank from photo_index where ${hasTerms(inTitle)} and ${rest} ${ALONE})
      union all
      (${SELECTED}, 0 from photo_index where ${hasTerms(elsewhere)} and ${rest} ${ALONE})
    ), ranked as (
      select photo_id, at, case
        when rank = 2 then case when photo_id in (select photo_id from photo_index where ${hasTerms(wholeTitleQuery(pieces))}) then 3 else 2 end
        when photo_id in (select photo_id from photo_index where ${hasTerms(named)}) then 1 else 0 end as rank
      from matched
    ), page as (
      select photo_id, at, rank from ranked order by rank desc, at desc, photo_id desc
      limit ${query.limit} offset ${(query.page - 1) * query.limit}
    ) ${seesAllPhotos(viewer) ? COUNTED.all : COUNTED.active}`
}

const SELECTED = sql.raw(
  'select photo_id, year, tag_ids, category_tree, coalesce(taken_at, created_at) as at',
)

/** PostgreSQL gives a part with a limit to no parallel worker: starting the workers would take longer than the search. */
const ALONE = sql.raw('limit 1000000000')

/** A category of which neither itself nor one above it is inactive, and an active tag. */
const ACTIVE = {
  categories: `named.is_active and (named.level = 0 or not exists (
    select from categories above where above.id = any(string_to_array(named.path, '/')::int[]) and not above.is_active))`,
  tags: 'named.is_active',
}

/**
 * The counts are read in their order, each with its name, until there are enough of them.
 * @param all whether inactive categories or tags are among them, which only administrators see
 */
const facet = (ids: string, table: keyof typeof ACTIVE, all: boolean) => `
  select coalesce(json_agg(json_build_object('id', id, 'name', name, 'count', count) order by count desc, name collate "C", id), '[]')
  from (
    select facet.id, named.name, facet.count from (
      select id, count(*)::int as count from (select unnest(${ids}) as id from matched) each
      group by id order by 2 desc, 1 ${all ? `limit ${MAX_FACETS}` : ''}
    ) facet cross join lateral (select * from ${table} where id = facet.id limit 1) named
    ${all ? '' : `where ${ACTIVE[table]} order by facet.count desc, facet.id limit ${MAX_FACETS}`}
  ) facets`

const counted = (all: boolean) =>
  sql.raw(`
  select (
    select coalesce(json_agg(json_build_object('id', photo_id, 'rank', rank) order by rank desc, at desc, photo_id desc), '[]')
    from page
  ) as page,
  (select count(*)::int from matched) as total,
  json_build_object(
    'categories', (${facet('category_tree', 'categories', all)}),
    'tags', (${facet('tag_ids', 'tags', all)}),
    'years', (
      select coalesce(json_agg(json_build_object('year', year, 'count', count) order by year desc), '[]')
      from (select year, count(*)::int as count from matched where year is not null group by year) years
    )
  ) as facets`)

const COUNTED = { all: counted(true), active: counted(false) }

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
    category === undefined ? undefined : arrayContains(photoIndex.categoryTree, [category]),
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
