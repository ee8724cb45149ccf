import { and, eq, ne } from 'drizzle-orm'
import { violatedConstraint } from '../../db/errors.ts'
import { photos } from '../../db/schema/index.ts'
import { slugOf, suffixed } from '../../util/slug.ts'
import type { Tx } from '../context.ts'
import type { Photo } from './rows.ts'

export const photoSlug = (title: string): string => slugOf(title) || 'photo'

/**
 * The slug of a photo that gets another title. It follows the title until the photo is public for the first time: then others
 * may have linked to it, and it stays.
 */
export async function slugAfter(tx: Tx, before: Photo, title: string | undefined): Promise<string> {
  const slug = photoSlug(title ?? before.title)
  if (before.wasPublic || slug === photoSlug(before.title)) return before.slug
  const others = and(eq(photos.slug, slug), ne(photos.id, before.id))
  return (await tx.db.$count(photos, others)) > 0 ? suffixed(slug) : slug
}

/** Runs a change once more when another request has taken its slug in the meantime: the second run sees that photo. */
export async function withFreeSlug<T>(change: () => Promise<T>): Promise<T> {
  try {
    return await change()
  } catch (error) {
    if (violatedConstraint(error) !== 'photos_slug_unique') throw error
    return change()
  }
}
