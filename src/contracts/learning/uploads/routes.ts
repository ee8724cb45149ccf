import type { Context } from '../../../core/context.ts'
import { AppError, invalid } from '../../../core/errors.ts'
import type { Material } from '../../../core/materials/materials.ts'
import { receiveFile } from '../../../core/materials/receive.ts'
import { abandonUpload, finishUpload, ownMaterial, removeUpload } from '../../../core/materials/uploads.ts'
import { chapter, type Params, type SignedCall } from '../../../http/chapter.ts'
import { neverIdle } from '../../../http/idle.ts'
import { readMultipart } from '../../../http/multipart.ts'
import { learning } from '../contract.ts'
import { MaterialId, Uploaded } from '../materials/models.ts'
import { presentUploaded, urlsFor } from '../materials/presenters.ts'
import { MAX_DESCRIPTION, MAX_TITLE, ThumbnailState, UploadState, uploadFields } from './models.ts'
import { presentThumbnailState, presentUploadState } from './presenters.ts'

const { routes, route } = chapter(learning, 'upload')

export const uploadRoutes = (ctx: Context) =>
  routes(ctx, '/upload')
    .post(
      '',
      upload,
      route({
        auth: true,
        summary: 'Upload a video (mp4, webm: 500 MB) or a PDF (50 MB) as multipart/form-data',
        id: 'uploadMaterial',
        multipart: { file: 'file', fields: uploadFields },
        status: 201,
        response: Uploaded,
        errors: [
          'FILE_TOO_LARGE',
          'UNSUPPORTED_FILE_TYPE',
          'ALREADY_DELETED',
          'UPLOAD_FAILED',
          'UPLOAD_TOO_SLOW',
          'TOO_MANY_UPLOADS',
        ],
      }),
    )
    .get(
      '/status/:material_id',
      showUpload,
      route({
        auth: true,
        summary: 'Show how far your upload is',
        params: MaterialId,
        response: UploadState,
      }),
    )
    .get(
      '/thumbnail-status/:material_id',
      showThumbnail,
      route({
        auth: true,
        summary: 'Show the state of the thumbnail of your upload',
        params: MaterialId,
        response: ThumbnailState,
      }),
    )
    .delete(
      '/:material_id',
      removeOne,
      route({
        auth: true,
        summary: 'Delete your upload and its files at once',
        params: MaterialId,
        status: 204,
        errors: ['PERMISSION_DENIED', 'ALREADY_DELETED'],
      }),
    )

async function upload({ ctx, principal, request, server, set }: SignedCall) {
  // Before anything is read: who may not upload now costs nothing.
  using _ = ctx.services.uploads.enter(principal.userId)
  const material = await neverIdle(server, request, () => receive(ctx, principal.userId, request))
  set.status = 201
  return presentUploaded(urlsFor(ctx, request), material)
}

async function showUpload({ ctx, principal, params, request }: SignedCall & Params<typeof MaterialId>) {
  return presentUploadState(request, await ownMaterial(ctx, principal, params.material_id))
}

async function showThumbnail({ ctx, principal, params }: SignedCall & Params<typeof MaterialId>) {
  return presentThumbnailState(await ownMaterial(ctx, principal, params.material_id))
}

async function removeOne({ ctx, principal, params, set }: SignedCall & Params<typeof MaterialId>) {
  await removeUpload(ctx, principal, params.material_id)
  set.status = 204
}

/** As a person counts them, nearly: most emoji are two units of a string. */
const characters = (text: string): number => [...text].length

function readTitle(fields: ReadonlyMap<string, string>): string {
  const title = fields.get('title')?.trim()
  if (!title) throw invalid('title', 'required')
  if (characters(title) > MAX_TITLE) throw invalid('title', 'max_length', { limit: MAX_TITLE })
  if (title.includes('\0')) throw invalid('title', 'characters')
  return title
}

function readDescription(fields: ReadonlyMap<string, string>): string {
  const description = fields.get('description') ?? ''
  if (characters(description) > MAX_DESCRIPTION) {
    throw invalid('description', 'max_length', { limit: MAX_DESCRIPTION })
  }
  if (description.includes('\0')) throw invalid('description', 'characters')
  return description
}

/** One upload, from its first byte to the active material. Fields may come before the file or after it. */
async function receive(ctx: Context, userId: number, request: Request): Promise<Material> {
  const total = Number(request.headers.get('content-length')) || null
  let received: { material: Material; size: number } | undefined
  try {
    const fields = await readMultipart(request, 'file', async (file, known) => {
      // What is known to be wrong already need not be stored first.
      const title = known.has('title') ? readTitle(known) : ''
      readDescription(known)
      received = await receiveFile(ctx, userId, { name: file.filename, title, body: file.body, total })
    })
    const file = { size: received!.size, title: readTitle(fields), description: readDescription(fields) }
    return await finishUpload(ctx, received!.material, file)
  } catch (error) {
    if (received) {
      await abandonUpload(ctx, received.material, error instanceof AppError ? error.code : 'UPLOAD_FAILED')
    }
    throw error
  }
}
