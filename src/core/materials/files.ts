import { eq, or } from 'drizzle-orm'
import { materials } from '../../db/schema/index.ts'
import { dispositionOf } from '../../storage/content-types.ts'
import { isKey, keyToPath } from '../../storage/keys.ts'
import { chooseAnswer } from '../../storage/ranges.ts'
import type { ByteRange, ObjectInfo } from '../../storage/storage.ts'
import type { Principal } from '../accounts/principals.ts'
import type { Core } from '../context.ts'
import { notFound } from '../errors.ts'
import { mayManage } from './materials.ts'
import { hiddenKey } from './objects.ts'

/** How a request for a stored file is answered (RFC 9110, chapters 13 and 14). */
export type FileAnswer =
  | { status: 304 | 416; info: ObjectInfo }
  | {
      status: 200 | 206
      info: ObjectInfo
      range: ByteRange | undefined
      disposition: 'inline' | 'attachment'
      /** Null for HEAD. */
      body: ReadableStream<Uint8Array> | null
    }

/**
 * Opens a file or thumbnail: active materials are for all, hidden ones for their uploader and administrators, and what
 * is removed or still coming in is for nobody.
 * @param request GET or HEAD; says what the client knows and wants: If-None-Match, Range and their like
 * @throws AppError NOT_FOUND, which does not tell why
 */
export async function openFile(
  ctx: Core,
  viewer: Principal | undefined,
  key: string,
  request: { method: string; headers: { get(name: string): string | null } },
): Promise<FileAnswer> {
  for (const place of isKey(key) ? await placesOf(ctx, viewer, key) : []) {
    const info = await ctx.storage.head(place)
    if (!info) continue
    const answer = chooseAnswer(request, info)
    if (answer.status === 304 || answer.status === 416) return { status: answer.status, info }
    const disposition = dispositionOf(key)
    if (request.method === 'HEAD') return { status: 200, info, range: undefined, disposition, body: null }
    const object = await ctx.storage.read(place, answer.status === 206 ? { range: answer.range } : {})
    if (!object) continue
    const { body, range, ...read } = object
    return { status: answer.status, info: read, range, disposition, body }
  }
  throw notFound('file', key)
}

/** Where to look for a file, in this order; empty: this viewer may not see it. */
async function placesOf(ctx: Core, viewer: Principal | undefined, key: string): Promise<string[]> {
  const [material] = await ctx.db
    .select({ userId: materials.userId, status: materials.status, removedAt: materials.removedAt })
    .from(materials)
    .where(or(eq(materials.filePath, key), eq(materials.thumbnailPath, key)))
  if (!material || material.removedAt !== null) return []
  if (material.status === 'active') return [key]
  // The first place first: what is moved on meanwhile is found at the second.
  return material.status === 'hidden' && mayManage(viewer, material) ? [key, hiddenKey(key)] : []
}

/**
 * Where clients fetch a stored object: from the object store itself, or from this server.
 * @param origin under which they reach this server
 */
export const fileUrl = ({ storage }: Core, origin: string, key: string): string =>
  storage.publicUrl(key) ?? `${origin}/files/${keyToPath(key)}`
