import { type Static, type TSchema, t } from 'elysia'
import { FIRST_CLOUD } from '../../../core/tags/lists.ts'
import { TAG_GROUPS, type TagGroup } from '../../../core/tags/rows.ts'
import { choice } from '../../../http/choice.ts'
import { integerText } from '../../../http/integer-text.ts'
import { nullable, optional, Timestamp } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'
import { typed } from '../../../http/typed.ts'
import { Envelope, PageEnvelope, pageQuery } from '../contract.ts'

const Group = choice(TAG_GROUPS)
/** 1 to 365 days. */
const PERIOD = '^([1-9]\\d?|[12]\\d\\d|3[0-5]\\d|36[0-5])d$'

export const TagQuery = t.Object({
  group: choice(['all', ...TAG_GROUPS], { default: 'all' }),
  sort_by: choice(['usage_count', 'name', 'created_at', 'trend_score', 'last_used_at'], {
    default: 'usage_count',
  }),
  sort_order: t.Optional(choice(['asc', 'desc'])),
  page: pageQuery.page,
  limit: integerText({ minimum: 1, maximum: 100, default: 50 }),
})

export const SuggestionQuery = t.Object({
  q: t.String({ minLength: 1, maxLength: 50, ...typed('name') }),
  limit: integerText({ minimum: 1, maximum: 100, default: 10 }),
})

export const CloudQuery = t.Object({
  min_usage: integerText({ minimum: 0, maximum: 1_000_000_000, default: FIRST_CLOUD.minUsage }),
  max_tags: integerText({ minimum: 1, maximum: 200, default: FIRST_CLOUD.maxTags }),
})

export const TrendingQuery = t.Object({
  period: t.String({ pattern: PERIOD, default: '30d' }),
  limit: integerText({ minimum: 1, maximum: 100, default: 10 }),
})

const fields = {
  slug: t.Optional(t.String({ minLength: 1, maxLength: 66 })),
  description: optional(t.String({ maxLength: 2000 })),
  /** Such as `#9b59b6`. */
  color: optional(t.String({ pattern: '^(#([0-9a-fA-F]{3}|[0-9a-fA-F]{6}))?$' })),
  icon: optional(t.String({ maxLength: 50 })),
  tag_group: t.Optional(Group),
  is_active: t.Optional(t.Boolean()),
  is_featured: t.Optional(t.Boolean()),
}
const Name = t.String({ minLength: 1, maxLength: 50, ...typed('name') })
export const NewTag = t.Object({ name: Name, ...fields })
export const TagChange = t.Object({ name: t.Optional(Name), ...fields })
export type TagChange = Static<typeof TagChange>

export const Tag = t.Object({
  id: t.Integer(),
  name: t.String(),
  slug: t.String(),
  description: t.String(),
  color: t.String(),
  icon: t.String(),
  tag_group: Group,
  usage_count: t.Integer(),
  trend_score: t.Number(),
  is_active: t.Boolean(),
  is_featured: t.Boolean(),
  created_at: Timestamp,
  updated_at: Timestamp,
  last_used_at: nullable(Timestamp),
})
export type Tag = Static<typeof Tag>

const GroupCount = t.Object({ name: t.String(), count: t.Integer() })
const Groups = t.Object({
  style: GroupCount,
  subject: GroupCount,
  technique: GroupCount,
  location: GroupCount,
} satisfies Record<TagGroup, TSchema>)
export const TagPage = t.Composite([PageEnvelope(t.Array(Tag)) as never, t.Object({ groups: Groups })])
export const TrendingTags = t.Composite([Envelope(t.Array(Tag)) as never, t.Object({ period: t.String() })])

export const Suggestion = t.Object({
  id: t.Integer(),
  name: t.String(),
  slug: t.String(),
  usage_count: t.Integer(),
  match_score: t.Number({ minimum: 0, maximum: 1 }),
})
export type Suggestion = Static<typeof Suggestion>

export const CloudTag = t.Object({
  id: t.Integer(),
  name: t.String(),
  slug: t.String(),
  usage_count: t.Integer(),
  relative_size: t.Integer({ minimum: 0, maximum: 100 }),
  color: t.String(),
})
export type CloudTag = Static<typeof CloudTag>

named({ TagGroupCount: GroupCount, Tag, TagPage, TrendingTags, TagSuggestion: Suggestion, CloudTag })
