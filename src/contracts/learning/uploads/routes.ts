import { Elysia } from 'elysia'
import type { Context } from '../../../core/context.ts'
import { AppError, invalid } from '../../../core/errors.ts'
import type { Material as CoreMaterial } from '../../../core/materials/materials.ts'
import { receiveFile } from '../../../core/materials/receive.ts'
import { abandonUpload, finishUpload, ownMaterial, removeUpload } from '../../../core/materials/uploads.ts'
import { guard } from '../../../http/authenticate.ts'
import { neverIdle } from '../../../http/idle.ts'
import { readMultipart } from '../../../http/multipart.ts'
import { learning } from '../contract.ts'
import { MaterialId as params, ThumbnailState, Uploaded, UploadState } from '../models.ts'
import { presentThumbnailState, presentUploaded, presentUploadState, urlsFor } from '../presenters.ts'

const MAX_TITLE = 255
const MAX_DESCRIPTION = 5000

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
async function upload(ctx: Context, userId: number, request: Request): Promise<CoreMaterial> {
  const total = Number(request.headers.get('content-length')) || null
  let received: { material: CoreMaterial; size: number } | undefined
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

export const uploadRoutes = (ctx: Context) =>
  new Elysia({ prefix: '/upload' })
    .use(guard(ctx))
    .post(
      '',
      async ({ principal, request, server, set }) => {
        // Before anything is read: who may not upload now costs nothing.
        using _ = ctx.services.uploads.enter(principal.userId)
        const material = await neverIdle(server, request, () => upload(ctx, principal.userId, request))
        set.status = 201
        return presentUploaded(urlsFor(ctx, request), material)
      },
      {
        auth: true,
        // The body is a stream: parsed, a video would be held in memory several times over. Not 'none', which Elysia takes
        // for the name of a parser where the server has one for all routes, and an empty body comes that far.
        parse: () => null,
        detail: {
          ...learning.describe({
            summary: 'Upload a video (mp4, webm: 500 MB) or a PDF (50 MB) as multipart/form-data',
            tag: 'upload',
            id: 'uploadMaterial',
            status: 201,
            response: Uploaded,
            errors: [
              'AUTHENTICATION_REQUIRED',
              'VALIDATION_FAILED',
              'FILE_TOO_LARGE',
              'UNSUPPORTED_FILE_TYPE',
              'ALREADY_DELETED',
              'UPLOAD_FAILED',
              'UPLOAD_TOO_SLOW',
              'TOO_MANY_UPLOADS',
            ],
          }),
          requestBody: {
            required: true,
            content: {
              'multipart/form-data': {
                schema: {
                  type: 'object',
                  required: ['file', 'title'],
                  properties: {
                    title: { type: 'string', minLength: 1, maxLength: MAX_TITLE },
                    description: { type: 'string', maxLength: MAX_DESCRIPTION },
                    file: { type: 'string', format: 'binary' },
                  },
                },
              },
            },
          },
        },
      },
    )
    .get(
      '/status/:material_id',
      async ({ principal, params, request }) =>
        presentUploadState(request, await ownMaterial(ctx, principal, params.material_id)),
      {
        auth: true,
        params,
        detail: learning.describe({
          summary: 'Show how far your upload is',
          tag: 'upload',
          response: UploadState,
          errors: ['AUTHENTICATION_REQUIRED', 'NOT_FOUND'],
        }),
      },
    )
    .get(
      '/thumbnail-status/:material_id',
      async ({ principal, params }) =>
        presentThumbnailState(await ownMaterial(ctx, principal, params.material_id)),
      {
        auth: true,
        params,
        detail: learning.describe({
          summary: 'Show the state of the thumbnail of your upload',
          tag: 'upload',
          response: ThumbnailState,
          errors: ['AUTHENTICATION_REQUIRED', 'NOT_FOUND'],
        }),
      },
    )
    .delete(
      '/:material_id',
      async ({ principal, params, set }) => {
        await removeUpload(ctx, principal, params.material_id)
        set.status = 204
      },
      {
        auth: true,
        params,
        detail: learning.describe({
          summary: 'Delete your upload and its files at once',
          tag: 'upload',
          status: 204,
          errors: ['AUTHENTICATION_REQUIRED', 'PERMISSION_DENIED', 'NOT_FOUND', 'ALREADY_DELETED'],
        }),
      },
    )
