import type { Context } from '../../../core/context.ts'
import { invalid } from '../../../core/errors.ts'
import { asChunked, chunksState, openedSession, putChunk } from '../../../core/files/chunks.ts'
import { abortSession, expiryOf, getSession } from '../../../core/files/sessions.ts'
import { duplicatesOf } from '../../../core/photo-files/files.ts'
import { completePhoto, openChunkedPhoto } from '../../../core/photo-files/in-parts.ts'
import { type Body, chapter, type Params, type SignedCall } from '../../../http/chapter.ts'
import { digestOf } from '../../../http/digests.ts'
import { idempotent } from '../../../http/idempotency.ts'
import { neverIdle } from '../../../http/idle.ts'
import { lengthOf, readRaw } from '../../../http/raw-body.ts'
import { Envelope, envelope, portfolio } from '../contract.ts'
import { presentChunkedId, readChunkedId } from '../ids.ts'
import {
  ChunkedParams,
  ChunkedState,
  ChunkedUpload,
  ChunkParams,
  CompletedUpload,
  Completion,
  NewChunkedUpload,
  StoredChunk,
} from './chunked-models.ts'
import { presentChunkedState, presentChunkedUpload, presentStoredChunk } from './chunked-presenters.ts'
import { presentUploaded } from './presenters.ts'

const { routes, route } = chapter(portfolio, 'upload', { limit: 'transfer' })

export const chunkedRoutes = (ctx: Context) =>
  routes(ctx, '/upload/chunked')
    .post(
      '/init',
      idempotent(init),
      route({
        auth: 'upload.create',
        summary: 'Begin to upload a photo in chunks',
        limit: 'upload',
        id: 'initChunkedUpload',
        requestHeaders: { 'Repr-Digest': 'optional' },
        body: NewChunkedUpload,
        example: {
          filename: 'large_photo.raw',
          file_size: 52428800,
          mime_type: 'image/raw',
          chunk_size: 1048576,
        },
        status: 201,
        response: Envelope(ChunkedUpload),
        errors: [
          'FILE_TOO_LARGE',
          'UNSUPPORTED_PHOTO',
          'TYPE_NOT_ALLOWED',
          'TOO_MANY_CHUNKS',
          'TOO_MANY_UNFINISHED_UPLOADS',
        ],
      }),
    )
    .put(
      '/:upload_id/chunks/:chunk_index',
      storeChunk,
      route({
        auth: 'upload.create',
        summary: 'Send a chunk, in any order; a chunk that comes again replaces the earlier one',
        id: 'putChunk',
        params: ChunkParams,
        requestHeaders: { 'Content-Digest': 'optional' },
        bytes: 'application/octet-stream',
        response: Envelope(StoredChunk),
        errors: [
          'CHUNK_OUT_OF_RANGE',
          'CHUNK_SIZE_MISMATCH',
          'DIGEST_MISMATCH',
          'UPLOAD_COMPLETED',
          'UPLOAD_COMPLETING',
          'UPLOAD_FAILED',
          'UPLOAD_TOO_SLOW',
          'TOO_MANY_PIECES_AT_ONCE',
        ],
      }),
    )
    .get(
      '/:upload_id',
      show,
      route({
        auth: 'upload.create',
        summary: 'Show what has arrived of your upload, and which chunks are missing',
        id: 'getChunkedUpload',
        params: ChunkedParams,
        response: Envelope(ChunkedState),
      }),
    )
    .post(
      '/:upload_id/complete',
      complete,
      route({
        auth: 'upload.create',
        summary: 'Put the chunks together; a repeated call answers the same file',
        id: 'completeChunkedUpload',
        params: ChunkedParams,
        requestHeaders: { 'Repr-Digest': 'optional' },
        body: Completion,
        response: Envelope(CompletedUpload),
        errors: [
          'CHUNKS_MISSING',
          'DIGEST_MISMATCH',
          'FILE_TOO_LARGE',
          'UNSUPPORTED_PHOTO',
          'TYPE_NOT_ALLOWED',
          'UPLOAD_COMPLETING',
          'UPLOAD_DELETED',
          'UPLOAD_FAILED',
          'TOO_MANY_UPLOADS',
        ],
      }),
    )
    .delete(
      '/:upload_id',
      abort,
      route({
        auth: 'upload.create',
        summary: 'Abort your upload and delete what has arrived of it',
        id: 'abortChunkedUpload',
        params: ChunkedParams,
        status: 204,
        errors: ['UPLOAD_COMPLETED'],
      }),
    )

async function init({ ctx, principal, request, body }: SignedCall & Body<typeof NewChunkedUpload>) {
  const session = await openChunkedPhoto(ctx, principal.userId, {
    fileName: body.filename,
    mimeType: body.mime_type ?? '',
    fileSize: body.file_size,
    chunkSize: body.chunk_size,
    sha256: digestIn(request, body) ?? null,
  })
  const expiresAt = await expiryOf(ctx, session)
  return envelope(request, presentChunkedUpload(ctx, request, session, expiresAt), 201)
}

async function storeChunk({
  ctx,
  principal,
  params,
  request,
  server,
}: SignedCall & Params<typeof ChunkParams>) {
  const session = await openedSession(ctx, principal.userId, readChunkedId(params.upload_id))
  const sha256 = digestOf(request, 'content-digest')
  const length = lengthOf(request)
  const received = await neverIdle(server, request, () =>
    readRaw(request, (body) => putChunk(ctx, session, params.chunk_index, { body, sha256, length })),
  )
  return envelope(request, presentStoredChunk(session, params.chunk_index, received))
}

async function show({ ctx, principal, params, request }: SignedCall & Params<typeof ChunkedParams>) {
  const session = await sessionOf(ctx, principal.userId, params.upload_id)
  const [state, expiresAt] = [await chunksState(ctx, session), await expiryOf(ctx, session)]
  return envelope(request, presentChunkedState(session, state, expiresAt))
}

async function complete({
  ctx,
  principal,
  params,
  body,
  request,
  server,
}: SignedCall & Params<typeof ChunkedParams> & Body<typeof Completion>) {
  const session = await sessionOf(ctx, principal.userId, params.upload_id)
  const sha256 = digestIn(request, body ?? {})
  const file = await neverIdle(server, request, () => completePhoto(ctx, principal, session, sha256))
  const earlier = await duplicatesOf(ctx, [file])
  return envelope(request, {
    upload_id: presentChunkedId(session.id),
    ...presentUploaded(ctx, request, file, earlier.get(file.id)),
  })
}

async function abort({ ctx, principal, params }: SignedCall & Params<typeof ChunkedParams>) {
  await abortSession(ctx, await sessionOf(ctx, principal.userId, params.upload_id))
}

const sessionOf = async (ctx: Context, userId: number, uploadId: string) =>
  asChunked(await getSession(ctx, userId, 'chunked', readChunkedId(uploadId)))

/**
 * The SHA-256 of the whole file, from the body or from Repr-Digest, in lower-case hexadecimal.
 * @throws AppError VALIDATION_FAILED when they differ
 */
function digestIn(
  request: Request,
  { sha256, checksum }: { sha256?: string | null; checksum?: string | null },
): string | undefined {
  const named = [sha256?.toLowerCase(), checksum?.toLowerCase(), digestOf(request, 'repr-digest')].filter(
    (digest) => digest !== undefined,
  )
  if (new Set(named).size > 1) throw invalid('sha256', 'digests_differ')
  return named[0]
}
