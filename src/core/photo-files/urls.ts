/** The addresses of a photo's files, for one viewer. */
import type { Context } from '../context.ts'
import { fileUrl } from '../files/open.ts'
import type { PhotoFile, Rendition } from './rows.ts'

export type PhotoFileUrls = Record<Rendition['name'], string>

/**
 * The addresses of the renditions of one file. While there is no rendition of a name, its address is that of a placeholder.
 * @param origin the address of this server as the client knows it
 */
export async function renditionUrls(
  ctx: Context,
  origin: string,
  file: Pick<PhotoFile, 'id' | 'renditions' | 'exposed'>,
): Promise<PhotoFileUrls> {
  const urls = {} as PhotoFileUrls
  for (const { name, key } of file.renditions) urls[name] = fileUrl(ctx, origin, key)
  return urls
}
