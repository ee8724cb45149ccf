import type { Context } from '../../../core/context.ts'
import type { IncomingFile } from '../../../core/files/receive.ts'
import { uploadPhotos } from '../../../core/photo-files/batch.ts'
import { deleteUpload, duplicatesOf, getOwnFile } from '../../../core/photo-files/files.ts'
import { type PhotoDetails, uploadPhoto } from '../../../core/photo-files/receive.ts'
import { secondsRemaining } from '../../../core/photo-files/remaining.ts'
import { reprocess } from '../../../core/photo-files/reprocess.ts'
import type { PhotoFile } from '../../../core/photo-files/rows.ts'
import { currentState } from '../../../core/photo-files/states.ts'
import { type Body, chapter, type Params, type SignedCall } from '../../../http/chapter.ts'
import { neverIdle } from '../../../http/idle.ts'
import { readMultipart, readMultipartFiles } from '../../../http/multipart.ts'
import { Envelope, envelope, portfolio } from '../contract.ts'
import { readFileId } from '../ids.ts'
import { FileParams, Reprocess, UploadedFile, UploadedFiles, UploadStatus } from './models.ts'
import { presentBatch, presentStatus, presentUploaded } from './presenters.ts'

const { routes, route } = chapter(portfolio, 'upload')

/** Files of one request, of which the site's limit refuses most. One file more ends the request. */
const MAX_PARTS = 1000

export const uploadRoutes = (ctx: Context) =>
  routes(ctx, '/upload')
    .post(
      '/single',
      uploadOne,
      route({
        auth: 'upload.create',
        summary: 'Upload a photo (JPEG, PNG, WebP, TIFF, HEIC, AVIF or RAW) as multipart/form-data',
        limit: 'upload',
        multipart: { file: 'file', fields: {} },
        status: 201,
        response: Envelope(UploadedFile),
        errors: [
          'FILE_TOO_LARGE',
          'UNSUPPORTED_PHOTO',
          'TYPE_NOT_ALLOWED',
          'UPLOAD_DELETED',
          'UPLOAD_FAILED',
          'UPLOAD_TOO_SLOW',
          'TOO_MANY_UPLOADS',
        ],
      }),
    )
    .post(
      '/multiple',
      uploadMany,
      route({
        auth: 'upload.create',
        summary: 'Upload several photos in one request; the answer says which of them failed',
        limit: 'upload',
        multipart: { file: 'files[]', many: true, fields: {} },
        status: 201,
        response: Envelope(UploadedFiles),
        errors: ['TOO_MANY_FILES', 'UPLOAD_TOO_SLOW'],
      }),
    )
    .get(
      '/status/:file_id',
      showStatus,
      route({
        auth: true,
        summary: 'Show how far your photo is',
        limit: 'transfer',
        params: FileParams,
        response: Envelope(UploadStatus),
      }),
    )
    .post(
      '/:file_id/reprocess',
      reprocessOne,
      route({
        auth: 'upload.create',
        id: 'reprocessUpload',
        summary:
          'Make the renditions of your photo that are missing, or all again with force or after a failure',
        params: FileParams,
        body: Reprocess,
        example: { formats: ['thumb_small', 'thumb_medium', 'webp'], force: true },
        response: Envelope(UploadStatus),
        errors: ['UPLOAD_INCOMPLETE', 'STILL_PROCESSING'],
      }),
    )
    .delete(
      '/:file_id',
      removeOne,
      route({
        auth: 'upload.create',
        summary: 'Delete your upload and its files, unless a photo uses it',
        params: FileParams,
        status: 204,
        errors: ['FILE_OF_PHOTO'],
      }),
    )

type Take = (file: IncomingFile<PhotoDetails>) => Promise<void>

async function uploadOne({ ctx, principal, request, server }: SignedCall) {
  const total = Number(request.headers.get('content-length')) || null
  const read = async (take: Take) => {
    await readMultipart(request, 'file', ({ filename, body }) => take({ name: filename, details: {}, body }))
    return {}
  }
  const file = await neverIdle(server, request, () => uploadPhoto(ctx, principal, { total, read }))
  const earlier = await duplicatesOf(ctx, [file])
  return envelope(request, presentUploaded(ctx, request, file, earlier.get(file.id)), 201)
}

async function uploadMany({ ctx, principal, request, server, set }: SignedCall) {
  const read = (take: Take) =>
    readMultipartFiles(request, 'files[]', MAX_PARTS, ({ filename, body }) =>
      take({ name: filename, details: {}, body }),
    )
  const batch = await neverIdle(server, request, () => uploadPhotos(ctx, principal, read))
  // The server does not read the rest of this request, so the client cannot send another one on the connection.
  if (batch.isCutShort) set.headers.connection = 'close'
  const earlier = await duplicatesOf(ctx, batch.uploaded)
  return envelope(request, presentBatch(ctx, request, batch, earlier), 201)
}

async function showStatus({ ctx, principal, params, request }: SignedCall & Params<typeof FileParams>) {
  return statusOf(ctx, request, await getOwnFile(ctx, principal, readFileId(params.file_id)))
}

async function reprocessOne({
  ctx,
  principal,
  params,
  body,
  request,
}: SignedCall & Params<typeof FileParams> & Body<typeof Reprocess>) {
  const { formats, force = false } = body ?? {}
  const names = formats?.map((name) => (name === 'jpg' ? 'display' : name))
  return statusOf(ctx, request, await reprocess(ctx, principal, readFileId(params.file_id), { names, force }))
}

async function removeOne({ ctx, principal, params }: SignedCall & Params<typeof FileParams>) {
  await deleteUpload(ctx, principal, readFileId(params.file_id))
}

async function statusOf(ctx: Context, request: Request, file: PhotoFile) {
  return envelope(
    request,
    presentStatus(request, file, currentState(ctx, file), await secondsRemaining(ctx, file)),
  )
}
