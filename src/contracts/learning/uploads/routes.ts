import type { Context } from '../../../core/context.ts'
import { invalid } from '../../../core/errors.ts'
import type { IncomingFile } from '../../../core/files/receive.ts'
import { type MaterialDetails, uploadMaterial } from '../../../core/materials/receive.ts'
import { ownMaterial, removeUpload } from '../../../core/materials/uploads.ts'
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

async function upload({ ctx, principal, request, server }: SignedCall) {
  const total = Number(request.headers.get('content-length')) || null
  const source = { total, read: (take: TakeFile) => readForm(request, take) }
  const material = await neverIdle(server, request, () => uploadMaterial(ctx, principal.userId, source))
  return presentUploaded(urlsFor(ctx, request), material)
}

async function showUpload({ ctx, principal, params, request }: SignedCall & Params<typeof MaterialId>) {
  return presentUploadState(request, await ownMaterial(ctx, principal, params.material_id))
}

async function showThumbnail({ ctx, principal, params }: SignedCall & Params<typeof MaterialId>) {
  return presentThumbnailState(await ownMaterial(ctx, principal, params.material_id))
}

async function removeOne({ ctx, principal, params }: SignedCall & Params<typeof MaterialId>) {
  await removeUpload(ctx, principal, params.material_id)
}

type TakeFile = (file: IncomingFile<MaterialDetails>) => Promise<void>

/** Text fields may come before the file or after it. An error in a field before it is found before the file is stored. */
async function readForm(request: Request, take: TakeFile): Promise<MaterialDetails> {
  const fields = await readMultipart(request, 'file', ({ filename, body }, known) => {
    const details: Partial<MaterialDetails> = { description: readDescription(known) }
    if (known.has('title')) details.title = readTitle(known)
    return take({ name: filename, details, body })
  })
  return { title: readTitle(fields), description: readDescription(fields) }
}

function readTitle(fields: ReadonlyMap<string, string>): string {
  const title = fields.get('title')?.trim()
  if (!title) throw invalid('title', 'required')
  return checkText('title', title, MAX_TITLE)
}

const readDescription = (fields: ReadonlyMap<string, string>): string =>
  checkText('description', fields.get('description') ?? '', MAX_DESCRIPTION)

/** @param limit in code points, because most emoji are two UTF-16 units of a string */
function checkText(field: string, text: string, limit: number): string {
  if ([...text].length > limit) throw invalid(field, 'max_length', { limit })
  if (text.includes('\0')) throw invalid(field, 'characters')
  return text
}
