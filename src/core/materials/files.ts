import { eq, or } from 'drizzle-orm'
import { materials } from '../../db/schema/index.ts'
import { dispositionOf } from '../../storage/content-types.ts'
import { isKey } from '../../storage/keys.ts'
import { chooseAnswer } from '../../storage/ranges.ts'
import type { ByteRange, ObjectInfo } from '../../storage/storage.ts'
import type { Principal } from '../accounts/principals.ts'
import type { Core } from '../context.ts'
import { notFound } from '../errors.ts'
import { mayManage } from './materials.ts'

/** How a request for a stored file is answered (RFC 9110, chapters 13 and 14). */
export type FileAnswer =
  | { status: 304 | 416; info: ObjectInfo }
  | {
      status: 200 | 206
      info: ObjectInfo
      range: ByteRange | undefined
      disposition: 'inline' | 'attachment'
      body: ReadableStream<Uint8Array>
    }

/**
 * Opens a file or thumbnail: active materials are for all, hidden ones for their uploader and administrators, and what
 * is removed or still coming in is for nobody.
 * @param fields what the client knows and wants: If-None-Match, Range and their like
 * @throws AppError NOT_FOUND, which does not tell why
 */
export async function openFile(
  ctx: Core,
  viewer: Principal | undefined,
  key: string,
  fields: { get(name: string): string | null },
): Promise<FileAnswer> {
  if (!isKey(key) || !(await isReadable(ctx, viewer, key))) throw notFound('file', key)
  const info = await ctx.storage.head(key)
  if (!info) throw notFound('file', key)
  const answer = chooseAnswer(fields, info)
  if (answer.status === 304 || answer.status === 416) return { status: answer.status, info }
  const object = await ctx.storage.read(key, answer.status === 206 ? { range: answer.range } : {})
  if (!object) throw notFound('file', key)
  const { body, range, ...read } = object
  return { status: answer.status, info: read, range, disposition: dispositionOf(key), body }
}

async function isReadable(ctx: Core, viewer: Principal | undefined, key: string): Promise<boolean> {
  const [material] = await ctx.db
    .select({ userId: materials.userId, status: materials.status, removedAt: materials.removedAt })
    .from(materials)
    .where(or(eq(materials.filePath, key), eq(materials.thumbnailPath, key)))
  if (!material || material.removedAt !== null) return false
  return material.status === 'active' || (material.status === 'hidden' && mayManage(viewer, material))
}
