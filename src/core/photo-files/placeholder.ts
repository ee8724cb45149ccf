/** The picture at the addresses of renditions that do not exist: the photo is still processed, or could not be. */
import { chooseAnswer } from '../../storage/ranges.ts'
import type { Principal } from '../accounts/principals.ts'
import type { Context } from '../context.ts'
import type { FileAnswer, FileRequest } from '../files/open.ts'

/** Its key under `/files/`. No object has it: every server draws the same picture. */
export const PHOTO_PLACEHOLDER = 'placeholders/photo.jpg'

/** The drawing never changes, so neither does its date. */
const DRAWN = new Date('2026-01-01T00:00:00Z')

export async function openPlaceholder(
  ctx: Context,
  _viewer: Principal | undefined,
  key: string,
  request: FileRequest,
): Promise<FileAnswer | undefined> {
  if (key !== PHOTO_PLACEHOLDER) return undefined
  const bytes = new Uint8Array(await ctx.imaging.placeholder('photo'))
  const etag = `"${Bun.hash(bytes).toString(36)}"`
  const info = { size: bytes.byteLength, etag, lastModified: DRAWN, contentType: 'image/jpeg' }
  const answer = chooseAnswer(request, info)
  if (answer.status === 304 || answer.status === 416) return { status: answer.status, info, isPublic: true }
  const range = answer.status === 206 ? answer.range : undefined
  const content = range ? bytes.slice(range.start, range.end + 1) : bytes
  return {
    status: answer.status,
    info,
    isPublic: true,
    range,
    disposition: 'inline',
    content: request.method === 'HEAD' ? null : content,
  }
}
