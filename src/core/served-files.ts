/** The folders under `/files/`, of all domains. */
import { isKey } from '../storage/keys.ts'
import type { Principal } from './accounts/principals.ts'
import type { Context } from './context.ts'
import { notFound } from './errors.ts'
import type { FileAnswer, FileRequest } from './files/open.ts'
import { materialFolders } from './materials/files.ts'
import { photoFolders } from './photo-files/open.ts'

const folders = new Map([...materialFolders, ...photoFolders])

/**
 * Opens the file at `/files/<key>`.
 * @throws AppError NOT_FOUND, which does not tell why; ADDRESS_EXPIRED
 */
export async function openFile(
  ctx: Context,
  viewer: Principal | undefined,
  key: string,
  request: FileRequest,
): Promise<FileAnswer> {
  const open = isKey(key) ? folders.get(key.slice(0, key.indexOf('/'))) : undefined
  const answer = await open?.(ctx, viewer, key, request)
  if (!answer) throw notFound('file', key)
  return answer
}
