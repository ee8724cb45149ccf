import { eq, or } from 'drizzle-orm'
import { materials } from '../../db/schema/index.ts'
import { isKey } from '../../storage/keys.ts'
import type { Principal } from '../accounts/principals.ts'
import type { Context } from '../context.ts'
import { notFound } from '../errors.ts'
import { hiddenKey } from '../files/keys.ts'
import { type FileAnswer, type FilePlaces, type FileRequest, openStored } from '../files/open.ts'
import { mayManage } from './access.ts'

/**
 * Opens a file or thumbnail. Every client may see those of active materials; the uploader and administrators may see
 * those of hidden ones. No client may see a file that is removed or still arriving.
 * @throws AppError NOT_FOUND, which does not tell why
 */
export async function openFile(
  ctx: Context,
  viewer: Principal | undefined,
  key: string,
  request: FileRequest,
): Promise<FileAnswer> {
  const places = isKey(key) ? await placesOf(ctx, viewer, key) : undefined
  const answer = places && (await openStored(ctx, key, places, request))
  if (!answer) throw notFound('file', key)
  return answer
}

/** @returns undefined when this viewer may not see the file */
async function placesOf(
  ctx: Context,
  viewer: Principal | undefined,
  key: string,
): Promise<FilePlaces | undefined> {
  const [material] = await ctx.db
    .select({ userId: materials.userId, status: materials.status, removedAt: materials.removedAt })
    .from(materials)
    .where(or(eq(materials.filePath, key), eq(materials.thumbnailPath, key)))
  if (!material || material.removedAt !== null) return undefined
  if (material.status === 'active') return { places: [key], isPublic: true }
  if (material.status !== 'hidden' || !mayManage(viewer, material)) return undefined
  // In this order, because an object that moves between the two lookups is found at the second key.
  return { places: [key, hiddenKey(key)], isPublic: false }
}
