/** Who may see which photo: docs/contracts/portfolio.md, "Who sees what". */
import { and, eq, or, type SQL, sql } from 'drizzle-orm'
import { photoIndex } from '../../db/schema/index.ts'
import { mayAll } from '../accounts/permissions.ts'
import type { Principal } from '../accounts/principals.ts'

/** Undefined for somebody who has not signed in. */
export type Viewer = Principal | undefined

/** Whether this viewer sees the photos of all users in any state, with everything that their files say. */
export const seesAllPhotos = (viewer: Viewer): boolean => viewer !== undefined && mayAll(viewer.role, 'photo')

/** Whether this viewer sees this photo in any state, with everything that its file says. */
export const seesWhole = (viewer: Viewer, photo: { userId: number }): boolean =>
  viewer !== undefined && (viewer.userId === photo.userId || seesAllPhotos(viewer))

export const isPublic = ({ status, visibility }: { status: string; visibility: string }): boolean =>
  status === 'published' && visibility === 'public'

/** The rows of `photo_index` that a viewer may see; undefined for all. */
export function visibleTo(viewer: Viewer): SQL | undefined {
  if (seesAllPhotos(viewer)) return undefined
  if (!viewer) return sql`${photoIndex.isPublic}`
  return or(sql`${photoIndex.isPublic}`, eq(photoIndex.ownerId, viewer.userId))
}

/** Viewers with the same scope see the same photos. */
export const scopeOf = (viewer: Viewer): string =>
  seesAllPhotos(viewer) ? 'all' : viewer ? `user:${viewer.userId}` : 'public'

/**
 * The photos that a viewer may see, in parts that do not overlap. Each part has the name by which its counts are kept, so
 * that the count of the public photos serves every viewer.
 */
export function visibleParts(viewer: Viewer): { scope: string; where: SQL | undefined }[] {
  if (seesAllPhotos(viewer)) return [{ scope: 'all', where: undefined }]
  const everybody = { scope: 'public', where: sql`${photoIndex.isPublic}` }
  if (!viewer) return [everybody]
  const own = and(eq(photoIndex.isPublic, false), eq(photoIndex.ownerId, viewer.userId))
  return [everybody, { scope: `own:${viewer.userId}`, where: own }]
}
