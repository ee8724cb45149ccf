/** The addresses of a photo's files, for one viewer: docs/contracts/portfolio.md, "Files of photos". */
import { keyToPath } from '../../storage/keys.ts'
import type { Context } from '../context.ts'
import { fileUrl } from '../files/open.ts'
import { signedUrl } from './addresses.ts'
import { PHOTO_PLACEHOLDER } from './placeholder.ts'
import { type PhotoFile, RENDITION_NAMES, type Rendition } from './rows.ts'
import { cleanOf, markedOf, renditionsForAll } from './watermark.ts'

export type PhotoFileUrls = Record<Rendition['name'], string>

/** What the addresses of a file's renditions depend on. */
export type Addressed = Pick<PhotoFile, 'renditions' | 'exposed'> & {
  /** Whether everybody may see the photo of the file. */
  isPublic: boolean
  /** Whether the viewer sees the photo whole (`seesWhole`), so without a watermark. */
  whole: boolean
  /** Whether visitors of the site see a watermark now. */
  hasWatermark: boolean
}

/**
 * The addresses of the renditions of one file. Without a rendition of a name, the address is that of a placeholder; of a
 * thumbnail that the site does not make, that of `display`.
 * Addresses of what not everybody may see are signed: they differ from one `addressWindow` to the next.
 * @param origin the address of this server as the client knows it
 */
export const renditionUrls = (ctx: Context, origin: string, file: Addressed): PhotoFileUrls =>
  Object.fromEntries(
    RENDITION_NAMES.map((name) => [name, renditionUrl(ctx, origin, file, name)]),
  ) as PhotoFileUrls

/** The address of one rendition, or of the placeholder. */
export function renditionUrl(ctx: Context, origin: string, file: Addressed, name: Rendition['name']): string {
  const found = namedOrDisplay(renditionsFor(file), name)
  return found ? urlOf(ctx, origin, file, found.key) : servedUrl(origin, PHOTO_PLACEHOLDER)
}

/** The renditions that this viewer sees. */
const renditionsFor = (file: Pick<Addressed, 'renditions' | 'whole' | 'hasWatermark'>): Rendition[] =>
  file.whole ? cleanOf(file) : renditionsForAll(file, file.hasWatermark)

/** A rendition, or the display picture in place of a thumbnail that does not exist. */
export const namedOrDisplay = (renditions: Rendition[], name: Rendition['name']): Rendition | undefined =>
  renditions.find((rendition) => rendition.name === name) ??
  (name.startsWith('thumb_') ? renditions.find((rendition) => rendition.name === 'display') : undefined)

/** The address of the uploaded file, only for viewers who see the photo whole (`seesWhole`). It is always signed. */
export const originalUrl = (
  ctx: Context,
  origin: string,
  { objectKey }: Pick<PhotoFile, 'objectKey'>,
): string => signedUrl(ctx, origin, objectKey)

/** What other viewers get in place of the original. Undefined while there is no rendition. */
export function largestRendition(
  file: Pick<Addressed, 'renditions' | 'whole' | 'hasWatermark'>,
): Rendition | undefined {
  const area = ({ width, height }: Rendition) => width * height
  // Renditions of a small photo have the same size, because none is enlarged.
  const isDisplay = ({ name }: Rendition) => Number(name === 'display')
  return renditionsFor(file).sort((a, b) => area(b) - area(a) || isDisplay(b) - isDisplay(a))[0]
}

/** While a public photo has no copies at public keys, this server sends its files, and asks each time who may see them. */
function urlOf(ctx: Context, origin: string, file: Addressed, key: string): string {
  const { isPublic, whole, hasWatermark } = file
  if (!isPublic || (whole && hasWatermark)) return signedUrl(ctx, origin, key)
  // `renditionsToCopy`: the copies may still be those with the watermark.
  const isCopied = file.exposed && (hasWatermark || markedOf(file).length === 0)
  return isCopied ? fileUrl(ctx, origin, key) : servedUrl(origin, key)
}

const servedUrl = (origin: string, key: string): string => `${origin}/files/${keyToPath(key)}`
