import { eq, or } from 'drizzle-orm'
import { materials } from '../../db/schema/index.ts'
import { dispositionOf } from '../../storage/content-types.ts'
import { isKey, keyToPath } from '../../storage/keys.ts'
import { chooseAnswer } from '../../storage/ranges.ts'
import type { ByteRange, ObjectContent, ObjectInfo } from '../../storage/storage.ts'
import type { Principal } from '../accounts/principals.ts'
import type { Context } from '../context.ts'
import { AppError, notFound } from '../errors.ts'
import { hiddenKey } from './keys.ts'
import { mayManage } from './materials.ts'

/** How a request for a stored file is answered (RFC 9110, chapters 13 and 14). */
export type FileAnswer = {
  /** Whether everybody may see the file, as long as its material is active. */
  isPublic: boolean
} & (
  | { status: 304 | 416; info: ObjectInfo }
  | {
      status: 200 | 206
      info: ObjectInfo
      range: ByteRange | undefined
      disposition: 'inline' | 'attachment'
      /** Null for HEAD. */
      content: ObjectContent['content'] | null
    }
)

/**
 * Opens a file or thumbnail: active materials are for all, hidden ones for their uploader and administrators, and what
 * is removed or still coming in is for nobody.
 * @param request GET or HEAD; says what the client knows and wants: If-None-Match, Range and their like
 * @throws AppError NOT_FOUND, which does not tell why
 */
export async function openFile(
  ctx: Context,
  viewer: Principal | undefined,
  key: string,
  request: { method: string; headers: { get(name: string): string | null }; signal: AbortSignal },
): Promise<FileAnswer> {
  const { places, isPublic } = isKey(key) ? await placesOf(ctx, viewer, key) : NOWHERE
  for (const place of places) {
    const info = await ctx.storage.head(place)
    if (!info) continue
    const answer = chooseAnswer(request, info)
    if (answer.status === 304 || answer.status === 416) return { status: answer.status, info, isPublic }
    const disposition = dispositionOf(key)
    if (request.method === 'HEAD') {
      return { status: 200, info, isPublic, range: undefined, disposition, content: null }
    }
    const range = answer.status === 206 ? answer.range : undefined
    const opened = await openObject(ctx, place, info, range, request.signal)
    if (!opened) continue
    const { content, range: part, ...read } = opened
    return { status: answer.status, info: read, isPublic, range: part, disposition, content }
  }
  throw notFound('file', key)
}

/** @throws AppError CLIENT_CLOSED when the client did not wait for it */
async function openObject(
  ctx: Context,
  key: string,
  info: ObjectInfo,
  range: ByteRange | undefined,
  signal: AbortSignal,
): Promise<ObjectContent | undefined> {
  try {
    return await ctx.storage.open(key, info, { range, signal })
  } catch (error) {
    throw signal.aborted ? new AppError('CLIENT_CLOSED') : error
  }
}

interface Places {
  /** In the order in which to look; none when this viewer may not see the file. */
  places: string[]
  isPublic: boolean
}
const NOWHERE: Places = { places: [], isPublic: false }

async function placesOf(ctx: Context, viewer: Principal | undefined, key: string): Promise<Places> {
  const [material] = await ctx.db
    .select({ userId: materials.userId, status: materials.status, removedAt: materials.removedAt })
    .from(materials)
    .where(or(eq(materials.filePath, key), eq(materials.thumbnailPath, key)))
  if (!material || material.removedAt !== null) return NOWHERE
  if (material.status === 'active') return { places: [key], isPublic: true }
  if (material.status !== 'hidden' || !mayManage(viewer, material)) return NOWHERE
  // The first place first: what is moved on meanwhile is found at the second.
  return { places: [key, hiddenKey(key)], isPublic: false }
}

/**
 * Where clients fetch a stored object: from the object store itself, or from this server.
 * @param origin under which they reach this server
 */
export const fileUrl = ({ storage }: Context, origin: string, key: string): string =>
  storage.publicUrl(key) ?? `${origin}/files/${keyToPath(key)}`
