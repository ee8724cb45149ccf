import { eq, or } from 'drizzle-orm'
import { materials } from '../../db/schema/index.ts'
import type { Principal } from '../accounts/principals.ts'
import type { Context } from '../context.ts'
import { hiddenKey } from '../files/keys.ts'
import {
  type FileAnswer,
  type FilePlaces,
  type FileRequest,
  type OpenFile,
  openStored,
} from '../files/open.ts'
import { mayManage } from './access.ts'

/**
 * Opens a file or thumbnail. Every client may see those of active materials; the uploader and administrators may see
 * those of hidden ones. No client may see a file that is removed or still arriving.
 */
async function openMaterialFile(
  ctx: Context,
  viewer: Principal | undefined,
  key: string,
  request: FileRequest,
): Promise<FileAnswer | undefined> {
  const places = await placesOf(ctx, viewer, key)
  return places && openStored(ctx, key, places, request)
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

export const materialFolders: [folder: string, open: OpenFile][] = [
  ['materials', openMaterialFile],
  ['thumbnails', openMaterialFile],
]
