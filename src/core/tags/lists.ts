import { and, asc, count, desc, eq, gte, type SQL, sql } from 'drizzle-orm'
import { arrayLiteral, intArray } from '../../db/arrays.ts'
import { photoIndex, photoTags, tags } from '../../db/schema/index.ts'
import { may } from '../accounts/permissions.ts'
import type { Context } from '../context.ts'
import { notFound } from '../errors.ts'
import { cached } from '../generations/cached.ts'
import { scopeOf, type Viewer, visibleTo } from '../photo-index/visibility.ts'
import { TAG_GROUPS, type Tag, type TagGroup } from './rows.ts'
import { TREND_DAYS, TRENDS_MS, tagTrends, tagUsage } from './usage.ts'

/** A tag, and how much the photos that the viewer may see use it. */
export interface TagView extends Tag {
  usageCount: number
  trendScore: number
  lastUsedAt: Date | null
}

export type TagSort = 'usageCount' | 'trendScore' | 'lastUsedAt' | 'name' | 'createdAt'

export const usage = sql<number>`coalesce(usage.n, 0)`
const trend = sql<number>`coalesce(trend.n, 0)`

/** Whether this viewer sees tags that are inactive or that no visible photo has. */
const managesTags = (viewer: Viewer): boolean => viewer !== undefined && may(viewer.role, 'tag.update')

/** A list of tags. Its trend scores are up to a minute old. */
const cachedTags = <T extends object>(
  ctx: Context,
  viewer: Viewer,
  [name, query]: [string, object],
  find: () => Promise<T>,
): Promise<T> =>
  cached(
    ctx,
    {
      of: ['tags', 'photos'],
      key: [name, scopeOf(viewer), managesTags(viewer), query],
      ttlMs: TRENDS_MS,
    },
    find,
  )

const shown = (viewer: Viewer): SQL | undefined =>
  managesTags(viewer) ? undefined : sql`${tags.isActive} and (${tags.isListed} or usage.n > 0)`

/** Numbers by tag id, as a table that a statement can join. */
const table = (numbers: ReadonlyMap<number, number>, name: string, type: 'int' | 'float8'): SQL =>
  sql`unnest(${intArray(numbers.keys())}, ${arrayLiteral(numbers.values())}::${sql.raw(type)}[]) as ${sql.raw(name)}(id, n)`

const lastUsed = (viewer: Viewer) =>
  sql<Date | null>`(
  select ${photoTags.createdAt} from ${photoTags}
  join ${photoIndex} on ${photoIndex.photoId} = ${photoTags.photoId}
  where ${and(eq(photoTags.tagId, sql`${tags}.id`), visibleTo(viewer))}
  order by ${photoTags.createdAt} desc nulls last limit 1)`.mapWith(photoTags.createdAt)

interface Search {
  where?: SQL | undefined
  /** Ties are in the order of the ids. */
  order?: SQL[]
  score?: SQL<number>
  limit: number
  offset?: number
  trendDays?: number
  /** Also finds what the viewer may not see. */
  hidden?: boolean
}

export async function findTags(
  ctx: Context,
  viewer: Viewer,
  search: Search,
): Promise<(TagView & { score: number })[]> {
  const { where, order = [], score = sql<number>`0`, limit, offset = 0, trendDays = TREND_DAYS } = search
  const [used, trends] = await Promise.all([tagUsage(ctx, viewer), tagTrends(ctx, viewer, trendDays)])
  const rows = await ctx.db
    .select({ tag: tags, usageCount: usage, trendScore: trend, lastUsedAt: lastUsed(viewer), score })
    .from(tags)
    .leftJoin(table(used, 'usage', 'int'), sql`usage.id = ${tags.id}`)
    .leftJoin(table(trends, 'trend', 'float8'), sql`trend.id = ${tags.id}`)
    .where(and(search.hidden ? undefined : shown(viewer), where))
    .orderBy(...order, asc(tags.id))
    .limit(limit)
    .offset(offset)
  return rows.map(({ tag, ...rest }) => ({ ...tag, ...rest }))
}

interface TagQuery {
  group: TagGroup | 'all'
  sortBy: TagSort
  sortOrder: 'asc' | 'desc'
  page: number
  limit: number
}

interface TagPage {
  tags: TagView[]
  /** Of all pages. */
  total: number
  groups: Record<TagGroup, number>
}

/** One page of the tags, with the number of tags in each group. */
export const listTags = (ctx: Context, viewer: Viewer, query: TagQuery): Promise<TagPage> =>
  cachedTags(ctx, viewer, ['page', query], () => findPage(ctx, viewer, query))

async function findPage(ctx: Context, viewer: Viewer, query: TagQuery): Promise<TagPage> {
  const { group, limit, page } = query
  const by: Record<TagSort, SQL> = {
    usageCount: usage,
    trendScore: trend,
    lastUsedAt: lastUsed(viewer),
    name: sql`${tags.pinyin} collate "C"`,
    createdAt: sql`${tags.createdAt}`,
  }
  const direction = query.sortOrder === 'asc' ? sql`asc nulls first` : sql`desc nulls last`
  const [found, groups] = await Promise.all([
    findTags(ctx, viewer, {
      where: group === 'all' ? undefined : eq(tags.tagGroup, group),
      order: [sql`${by[query.sortBy]} ${direction}`],
      limit,
      offset: (page - 1) * limit,
    }),
    countGroups(ctx, viewer),
  ])
  const counted = group === 'all' ? Object.values(groups) : [groups[group]]
  return { tags: found, groups, total: counted.reduce((sum, n) => sum + n, 0) }
}

async function countGroups(ctx: Context, viewer: Viewer): Promise<Record<TagGroup, number>> {
  const rows = await ctx.db
    .select({ group: tags.tagGroup, n: count() })
    .from(tags)
    .leftJoin(table(await tagUsage(ctx, viewer), 'usage', 'int'), sql`usage.id = ${tags.id}`)
    .where(shown(viewer))
    .groupBy(tags.tagGroup)
  const counts = new Map(rows.map(({ group, n }) => [group, n]))
  return Object.fromEntries(TAG_GROUPS.map((group) => [group, counts.get(group) ?? 0])) as Record<
    TagGroup,
    number
  >
}

/**
 * @param options.hidden the viewer has just written the tag, so it is shown also when it is inactive
 * @throws AppError NOT_FOUND, also for a tag that this viewer may not know of
 */
export async function getTag(
  ctx: Context,
  viewer: Viewer,
  id: number,
  { hidden = false }: { hidden?: boolean } = {},
): Promise<TagView> {
  const [tag] = await findTags(ctx, viewer, { where: eq(tags.id, id), limit: 1, hidden })
  if (!tag) throw notFound('tag', id)
  return tag
}

/** The tag cloud for a client that names no parameters. */
export const FIRST_CLOUD = { minUsage: 1, maxTags: 50 }

/** The active tags with at least `minUsage` photos, the most used first. */
export const tagCloud = (
  ctx: Context,
  viewer: Viewer,
  query: { minUsage: number; maxTags: number },
): Promise<TagView[]> =>
  cachedTags(ctx, viewer, ['cloud', query], () =>
    findTags(ctx, viewer, {
      where: and(eq(tags.isActive, true), gte(usage, query.minUsage)),
      order: [desc(usage)],
      limit: query.maxTags,
    }),
  )

/** The active tags that photos were given within the last `days`, by their trend scores for that time. */
export const trendingTags = (
  ctx: Context,
  viewer: Viewer,
  query: { days: number; limit: number },
): Promise<TagView[]> =>
  cachedTags(ctx, viewer, ['trending', query], () =>
    findTags(ctx, viewer, {
      where: and(eq(tags.isActive, true), sql`trend.n > 0`),
      order: [desc(trend), desc(usage)],
      limit: query.limit,
      trendDays: query.days,
    }),
  )
