/** Who may fetch the files of photos: docs/contracts/portfolio.md, "Files of photos". */
import { and, eq, type SQL } from 'drizzle-orm'
import { photoFiles, photos } from '../../db/schema/index.ts'
import { ownerExists } from '../accounts/owners.ts'
import type { Principal } from '../accounts/principals.ts'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import { hiddenKey } from '../files/keys.ts'
import { type FileAnswer, type FileRequest, type OpenFile, openStored } from '../files/open.ts'
import { isPublic, seesWhole } from '../photo-index/visibility.ts'
import { siteSettings } from '../system/site-settings.ts'
import { checkSignature } from './addresses.ts'
import { extensionOf, fileIdOf, nameIn } from './keys.ts'
import { savedPhotoName } from './names.ts'
import { openPlaceholder, PHOTO_PLACEHOLDER } from './placeholder.ts'
import { RENDITION_NAMES } from './rows.ts'
import { namedOrDisplay } from './urls.ts'
import { renditionsForAll, watermarkOf } from './watermark.ts'

/**
 * While a photo is public, everybody gets the renditions that visitors see, whether their copies at the public keys exist yet or
 * not. At every other address that a rendition of the photo has now or had before, a viewer gets what visitors see, so that a
 * page goes on to show the photo when the watermark is switched on or off, or when the renditions are made anew.
 */
async function openRendition(
  ctx: Context,
  viewer: Principal | undefined,
  key: string,
  request: FileRequest,
): Promise<FileAnswer | undefined> {
  const id = fileIdOf(key)
  const file = id === undefined ? undefined : await findFile(ctx, eq(photoFiles.id, id))
  if (!file) return undefined
  const isPublic = isShown(file)
  const forAll = renditionsForAll(file, watermarkOf(await siteSettings(ctx)) !== undefined)
  const isForAll = isPublic && forAll.some((rendition) => rendition.key === key)
  const exists = file.renditions.some((rendition) => rendition.key === key)
  if (isForAll || (exists && admits(ctx, viewer, file, key, request)))
    return openStored(ctx, key, { places: [hiddenKey(key)], isPublic: isForAll }, request)
  const name = RENDITION_NAMES.find((one) => one === nameIn(key))
  if (!isPublic || !name) return undefined
  const shown = namedOrDisplay(forAll, name)
  if (!shown) return openPlaceholder(ctx, viewer, PHOTO_PLACEHOLDER, request)
  return openStored(ctx, shown.key, { places: [hiddenKey(shown.key)], isPublic }, request)
}

/**
 * The uploaded file is for its owner and holders of `photo.*`. Clients save it under the name that it was uploaded with, with
 * the extension of its content.
 */
async function openOriginal(
  ctx: Context,
  viewer: Principal | undefined,
  key: string,
  request: FileRequest,
): Promise<FileAnswer | undefined> {
  const file = await findFile(ctx, eq(photoFiles.objectKey, key))
  if (!file || file.status === 'receiving' || !admits(ctx, viewer, file, key, request)) return undefined
  const answer = await openStored(ctx, key, { places: [key], isPublic: false }, request)
  return answer && { ...answer, saveAs: savedPhotoName(file.fileName, extensionOf(key)) }
}

/**
 * Whether the address is signed, or the viewer sees the photo whole.
 * @throws AppError ADDRESS_EXPIRED when it was signed for another time
 */
function admits(
  ctx: Context,
  viewer: Principal | undefined,
  file: { userId: number },
  key: string,
  { url }: FileRequest,
): boolean {
  if (seesWhole(viewer, file)) return true
  const signature = checkSignature(ctx, key, url)
  if (signature === 'expired') throw new AppError('ADDRESS_EXPIRED')
  return signature === 'valid'
}

const findFile = async (ctx: Context, which: SQL) => {
  const [file] = await ctx.db
    .select({
      userId: photoFiles.userId,
      status: photoFiles.status,
      fileName: photoFiles.fileName,
      renditions: photoFiles.renditions,
      photo: { status: photos.status, visibility: photos.visibility },
    })
    .from(photoFiles)
    .leftJoin(photos, eq(photos.fileId, photoFiles.id))
    .where(and(which, ownerExists(photoFiles.userId)))
  return file
}

const isShown = ({ photo }: { photo: Parameters<typeof isPublic>[0] | null }) =>
  photo !== null && isPublic(photo)

export const photoFolders: [folder: string, open: OpenFile][] = [
  ['photos', openRendition],
  ['originals', openOriginal],
  ['placeholders', openPlaceholder],
]
