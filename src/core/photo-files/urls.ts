/** The addresses of a photo's files, for one viewer: docs/contracts/portfolio.md, "Files of photos". */
import { keyToPath } from '../../storage/keys.ts'
import type { Context } from '../context.ts'
import { fileUrl } from '../files/open.ts'
import { signedUrl } from './addresses.ts'
import { PHOTO_PLACEHOLDER } from './placeholder.ts'
import type { PhotoFile, Rendition } from './rows.ts'

const NAMES: Rendition['name'][] = ['thumb_small', 'thumb_medium', 'thumb_large', 'display', 'webp']

export type PhotoFileUrls = Record<Rendition['name'], string>

/** What the addresses of a file's renditions depend on. */
export type Addressed = Pick<PhotoFile, 'renditions' | 'exposed'> & {
  /** Whether everybody may see the photo of the file. */
  isPublic: boolean
}

/**
 * The addresses of the renditions of one file. Without a rendition of a name, the address is that of a placeholder.
 * Those of a photo that is not public are signed: they differ from one `addressWindow` to the next.
 * @param origin the address of this server as the client knows it
 */
export function renditionUrls(ctx: Context, origin: string, file: Addressed): PhotoFileUrls {
  const keys = new Map(file.renditions.map(({ name, key }) => [name, key]))
  const urls = NAMES.map((name) => {
    const key = keys.get(name)
    return [name, key === undefined ? servedUrl(origin, PHOTO_PLACEHOLDER) : urlOf(ctx, origin, file, key)]
  })
  return Object.fromEntries(urls)
}

/** The address of one rendition, or of the placeholder. */
export function renditionUrl(ctx: Context, origin: string, file: Addressed, name: Rendition['name']): string {
  const found = file.renditions.find((rendition) => rendition.name === name)
  return found ? urlOf(ctx, origin, file, found.key) : servedUrl(origin, PHOTO_PLACEHOLDER)
}

/** The address of the uploaded file, only for viewers who see the photo whole (`seesWhole`). It is always signed. */
export const originalUrl = (
  ctx: Context,
  origin: string,
  { objectKey }: Pick<PhotoFile, 'objectKey'>,
): string => signedUrl(ctx, origin, objectKey)

/** What other viewers get in place of the original. Undefined while there is no rendition. */
export function largestRendition({ renditions }: Pick<PhotoFile, 'renditions'>): Rendition | undefined {
  const area = ({ width, height }: Rendition) => width * height
  // Of two with the same size, the JPEG: more programs open it.
  const better = (a: Rendition, b: Rendition) =>
    area(a) > area(b) || (area(a) === area(b) && b.name === 'webp')
  return renditions.reduce<Rendition | undefined>(
    (best, one) => (!best || better(one, best) ? one : best),
    undefined,
  )
}

/** While a public photo has no copies at public keys, this server sends its files, and asks each time who may see them. */
function urlOf(ctx: Context, origin: string, { exposed, isPublic }: Addressed, key: string): string {
  if (!isPublic) return signedUrl(ctx, origin, key)
  return exposed ? fileUrl(ctx, origin, key) : servedUrl(origin, key)
}

const servedUrl = (origin: string, key: string): string => `${origin}/files/${keyToPath(key)}`
