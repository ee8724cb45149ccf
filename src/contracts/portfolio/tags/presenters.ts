import type { TagView } from '../../../core/tags/lists.ts'
import type { Suggestion as CoreSuggestion } from '../../../core/tags/suggestions.ts'
import { twoDecimals } from '../../../util/two-decimals.ts'
import type { CloudTag, Suggestion, Tag } from './models.ts'

export const presentTag = (tag: TagView): Tag => ({
  id: tag.id,
  name: tag.name,
  slug: tag.slug,
  description: tag.description,
  color: tag.color ?? '',
  icon: tag.icon ?? '',
  tag_group: tag.tagGroup,
  usage_count: tag.usageCount,
  trend_score: twoDecimals(tag.trendScore),
  is_active: tag.isActive,
  is_featured: tag.isFeatured,
  created_at: tag.createdAt.toISOString(),
  updated_at: tag.updatedAt.toISOString(),
  last_used_at: tag.lastUsedAt?.toISOString() ?? null,
})

export const presentSuggestion = ({ id, name, slug, usageCount, score }: CoreSuggestion): Suggestion => ({
  id,
  name,
  slug,
  usage_count: usageCount,
  match_score: twoDecimals(score),
})

/** @param tags the most used first */
export function presentCloud(tags: TagView[]): CloudTag[] {
  const most = tags[0]?.usageCount ?? 0
  return tags.map(({ id, name, slug, usageCount, color }) => ({
    id,
    name,
    slug,
    usage_count: usageCount,
    relative_size: most === 0 ? 0 : Math.round((100 * usageCount) / most),
    color: color ?? '',
  }))
}
