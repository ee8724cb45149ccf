import { t } from 'elysia'
import type { Context } from '../../../core/context.ts'
import { getTag, listTags, tagCloud, trendingTags } from '../../../core/tags/lists.ts'
import { TAG_GROUPS } from '../../../core/tags/rows.ts'
import { suggestTags } from '../../../core/tags/suggestions.ts'
import { createTag, deleteTag, updateTag } from '../../../core/tags/tags.ts'
import { optionalPrincipal } from '../../../http/authenticate.ts'
import {
  type Body,
  type Call,
  chapter,
  type Params,
  type Query,
  type SignedCall,
} from '../../../http/chapter.ts'
import { idempotent } from '../../../http/idempotency.ts'
import { Envelope, envelope, pageEnvelope, portfolio } from '../contract.ts'
import { Id } from '../ids.ts'
import {
  CloudQuery,
  CloudTag,
  NewTag,
  Suggestion,
  SuggestionQuery,
  Tag,
  TagChange,
  TagPage,
  TagQuery,
  TrendingQuery,
  TrendingTags,
} from './models.ts'
import { presentCloud, presentSuggestion, presentTag } from './presenters.ts'

const { routes, route } = chapter(portfolio, 'tags')

const SORT_BY = {
  usage_count: 'usageCount',
  name: 'name',
  created_at: 'createdAt',
  trend_score: 'trendScore',
  last_used_at: 'lastUsedAt',
} as const

export const tagRoutes = (ctx: Context) =>
  routes(ctx, '/tags')
    .get(
      '',
      list,
      route({
        summary: 'List the tags, with the number of tags in each group',
        access: ['anyone', 'user'],
        query: TagQuery,
        response: TagPage,
      }),
    )
    .get(
      '/suggestions',
      suggest,
      route({
        summary: 'Find tags by a part of the name, the slug or the pinyin',
        access: ['anyone', 'user'],
        query: SuggestionQuery,
        response: Envelope(t.Array(Suggestion)),
      }),
    )
    .get(
      '/cloud',
      showCloud,
      route({
        summary: 'List the most used tags with their relative sizes',
        access: ['anyone', 'user'],
        query: CloudQuery,
        response: Envelope(t.Array(CloudTag)),
      }),
    )
    .get(
      '/trending',
      listTrending,
      route({
        summary: 'List the tags that are used much at the moment',
        access: ['anyone', 'user'],
        query: TrendingQuery,
        response: TrendingTags,
      }),
    )
    .get(
      '/:id',
      showOne,
      route({
        summary: 'Show one tag',
        access: ['anyone', 'user'],
        params: Id,
        response: Envelope(Tag),
      }),
    )
    .post(
      '',
      idempotent(createOne),
      route({
        auth: 'tag.create',
        summary: 'Create a tag',
        body: NewTag,
        example: { name: '极光', slug: 'aurora', color: '#9b59b6', tag_group: 'subject' },
        status: 201,
        response: Envelope(Tag),
        errors: ['TAG_TAKEN', 'TAG_SLUG_TAKEN'],
      }),
    )
    .put(
      '/:id',
      updateOne,
      route({
        auth: 'tag.update',
        summary: 'Change fields of a tag',
        params: Id,
        body: TagChange,
        example: { name: '北极光', color: '#8e44ad' },
        response: Envelope(Tag),
        errors: ['TAG_TAKEN', 'TAG_SLUG_TAKEN'],
      }),
    )
    .delete(
      '/:id',
      deleteOne,
      route({
        auth: 'tag.delete',
        summary: 'Delete a tag, also from its photos',
        params: Id,
        status: 204,
      }),
    )

async function list({ ctx, query, request }: Call & Query<typeof TagQuery>) {
  const { group, sort_by, page, limit } = query
  const viewer = await optionalPrincipal(ctx, request)
  const sortOrder = query.sort_order ?? (sort_by === 'name' ? 'asc' : 'desc')
  const { tags, total, groups } = await listTags(ctx, viewer, {
    group,
    sortBy: SORT_BY[sort_by],
    sortOrder,
    page,
    limit,
  })
  const shown = TAG_GROUPS.map((key) => [
    key,
    { name: portfolio.text(request, `tag_group_${key}`), count: groups[key] },
  ])
  return { ...pageEnvelope(request, tags.map(presentTag), total, query), groups: Object.fromEntries(shown) }
}

async function suggest({ ctx, query, request }: Call & Query<typeof SuggestionQuery>) {
  const viewer = await optionalPrincipal(ctx, request)
  const suggestions = await suggestTags(ctx, viewer, { text: query.q, limit: query.limit })
  return envelope(request, suggestions.map(presentSuggestion))
}

async function showCloud({ ctx, query, request }: Call & Query<typeof CloudQuery>) {
  const viewer = await optionalPrincipal(ctx, request)
  const tags = await tagCloud(ctx, viewer, { minUsage: query.min_usage, maxTags: query.max_tags })
  return envelope(request, presentCloud(tags))
}

async function listTrending({ ctx, query, request }: Call & Query<typeof TrendingQuery>) {
  const { period, limit } = query
  const viewer = await optionalPrincipal(ctx, request)
  const tags = await trendingTags(ctx, viewer, { days: Number.parseInt(period, 10), limit })
  return { ...envelope(request, tags.map(presentTag)), period }
}

async function showOne({ ctx, params, request }: Call & Params<typeof Id>) {
  return envelope(request, presentTag(await getTag(ctx, await optionalPrincipal(ctx, request), params.id)))
}

async function createOne({ ctx, principal, body, request }: SignedCall & Body<typeof NewTag>) {
  const id = await createTag(ctx, principal, { ...inputOf(body), name: body.name })
  return envelope(request, presentTag(await getTag(ctx, principal, id, { hidden: true })), 201)
}

async function updateOne(call: SignedCall & Params<typeof Id> & Body<typeof TagChange>) {
  const { ctx, principal, params, body, request } = call
  await updateTag(ctx, principal, params.id, inputOf(body))
  return envelope(request, presentTag(await getTag(ctx, principal, params.id)))
}

async function deleteOne({ ctx, principal, params }: SignedCall & Params<typeof Id>) {
  await deleteTag(ctx, principal, params.id)
}

const inputOf = ({ tag_group, is_active, is_featured, description, ...same }: TagChange) => ({
  ...same,
  description: description === null ? '' : description,
  tagGroup: tag_group,
  isActive: is_active,
  isFeatured: is_featured,
})
