import { and, desc, eq, type SQL, sql } from 'drizzle-orm'
import { tags } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import type { Viewer } from '../photo-index/visibility.ts'
import { findTags, type TagView, usage } from './lists.ts'
import { tagKey } from './names.ts'

export interface Suggestion extends TagView {
  /** 0 to 1. */
  score: number
}

/**
 * The active tags that a text may mean, the best first. A score is in the range of its kind of match, and higher there the
 * more the tag is used: 1 when the text is the name or the slug, from 0.8 when the name begins with it, from 0.55 when the
 * name contains it, from 0.4 when the text is the pinyin or its initials, from 0.25 when one of those or a word of the slug
 * begins with it.
 */
export async function suggestTags(
  ctx: Context,
  viewer: Viewer,
  { text, limit }: { text: string; limit: number },
): Promise<Suggestion[]> {
  const key = tagKey(text)
  if (!key) return []
  const lowest = lowestScore(key)
  // Less than 0.15, so that the ranges do not meet.
  const score = sql<number>`case when ${lowest} = 1 then 1 else ${lowest} + 0.15 * ${usage} / (${usage} + 10.0) end::float8`
  return findTags(ctx, viewer, {
    where: and(eq(tags.isActive, true), sql`${lowest} > 0`),
    score,
    order: [desc(score), desc(usage)],
    limit,
  })
}

function lowestScore(key: string): SQL {
  const slug = key.replaceAll(' ', '-')
  const letters = key.replace(/[\s'-]/g, '')
  return sql`case
    when ${tags.nameKey} = ${key} or ${tags.slug} = ${slug} then 1
    when starts_with(${tags.nameKey}, ${key}) then 0.8
    when position(${key} in ${tags.nameKey}) > 0 then 0.55
    when ${letters} in (${tags.pinyin}, ${tags.initials}) then 0.4
    when ${letters} = '' then 0
    when starts_with(${tags.pinyin}, ${letters}) or starts_with(${tags.initials}, ${letters}) then 0.25
    when position(${`-${slug}`} in '-' || ${tags.slug}) > 0 then 0.25
    else 0 end`
}
