import { t } from 'elysia'
import type { Context } from '../../../core/context.ts'
import { AppError } from '../../../core/errors.ts'
import { append, settledSession } from '../../../core/files/appends.ts'
import {
  abortSession,
  assertSameDigest,
  expiryOf,
  getSession,
  KEEP_HOURS,
  type UploadSession,
} from '../../../core/files/sessions.ts'
import { duplicatesOf } from '../../../core/photo-files/files.ts'
import {
  completeResumable,
  isAboutContent,
  maxPhotoBytes,
  openResumablePhoto,
} from '../../../core/photo-files/in-parts.ts'
import { chapter, type Params, type Query, type SignedCall } from '../../../http/chapter.ts'
import { digestOf } from '../../../http/digests.ts'
import { neverIdle } from '../../../http/idle.ts'
import { integerText } from '../../../http/integer-text.ts'
import { originOf } from '../../../http/origin.ts'
import { parseDisposition } from '../../../http/parameters.ts'
import { PROBLEM_JSON } from '../../../http/problem.ts'
import { lengthOf, readRaw } from '../../../http/raw-body.ts'
import { Envelope, envelope, portfolio } from '../contract.ts'
import { UploadedFile } from './models.ts'
import { presentUploaded } from './presenters.ts'
import {
  booleanText,
  failure,
  integerField,
  requiredBoolean,
  requiredInteger,
  UploadProblem,
  wrongType,
} from './resumable-fields.ts'

const { routes, route } = chapter(portfolio, 'upload', { limit: 'transfer' })

const PARTIAL = 'application/partial-upload'
const MAX_NAME = 255

const ResumableId = t.Object({ id: integerText({ minimum: 1, maximum: 2_147_483_647 }) })
const FileName = t.Object({ filename: t.Optional(t.String({ minLength: 1, maxLength: MAX_NAME })) })

const CONFLICT = {
  description: 'The upload goes on at another offset, or another request is at it',
  headers: { 'Upload-Offset': 'sometimes' },
  response: UploadProblem,
  contentType: PROBLEM_JSON,
} as const

/** The header fields that {@link receive} reads, whichever request of an upload it is. */
const PIECE = {
  'Upload-Complete': 'required',
  'Upload-Length': 'optional',
  'Content-Digest': 'optional',
  'Repr-Digest': 'optional',
} as const

/** Of errors that the handler answers. The checks before it set none of them. */
const ERROR_HEADERS = { 'Upload-Complete': 'sometimes', 'Upload-Limit': 'sometimes' } as const

const REFUSED = {
  description: 'The upload is complete, or its lengths contradict each other; or the request is not valid',
  response: UploadProblem,
  contentType: PROBLEM_JSON,
  besideErrors: true,
} as const

/** docs/contracts/portfolio.md, "Resumable uploads". */
export const resumableRoutes = (ctx: Context) =>
  routes(ctx, '/upload/resumable')
    .post(
      '',
      begin,
      route({
        auth: 'upload.create',
        summary: 'Begin a resumable upload of a photo; Location names it',
        limit: 'upload',
        id: 'beginResumableUpload',
        query: FileName,
        requestHeaders: { ...PIECE, 'Content-Disposition': 'optional' },
        bytes: 'application/octet-stream',
        status: 201,
        response: Envelope(UploadedFile),
        mayBeEmpty: true,
        headers: { Location: 'always', 'Upload-Complete': 'always', 'Upload-Limit': 'always' },
        errorHeaders: { ...ERROR_HEADERS, Location: 'sometimes' },
        answers: { 400: REFUSED, 409: CONFLICT },
        errors: [
          'FILE_TOO_LARGE',
          'UNSUPPORTED_PHOTO',
          'TYPE_NOT_ALLOWED',
          'DIGEST_MISMATCH',
          'UPLOAD_DELETED',
          'UPLOAD_FAILED',
          'UPLOAD_TOO_SLOW',
          'TOO_MANY_UPLOADS',
          'TOO_MANY_UNFINISHED_UPLOADS',
        ],
      }),
    )
    .get(
      '/:id',
      show,
      route({
        auth: 'upload.create',
        summary: 'Show in header fields how far your upload is; HEAD is the same',
        id: 'getResumableUpload',
        params: ResumableId,
        status: 204,
        headers: {
          'Upload-Complete': 'always',
          'Upload-Length': 'sometimes',
          'Upload-Limit': 'always',
          'Upload-Offset': 'always',
        },
      }),
    )
    .patch(
      '/:id',
      goOn,
      route({
        auth: 'upload.create',
        summary: 'Append to your upload; the request that completes it is answered like a single upload',
        id: 'appendToResumableUpload',
        params: ResumableId,
        requestHeaders: { ...PIECE, 'Upload-Offset': 'required' },
        bytes: PARTIAL,
        status: 201,
        response: Envelope(UploadedFile),
        headers: { 'Upload-Complete': 'always' },
        errorHeaders: ERROR_HEADERS,
        answers: {
          204: {
            description: 'The bytes are appended, and the upload is not complete',
            headers: { 'Upload-Complete': 'always' },
          },
          400: REFUSED,
          409: CONFLICT,
          415: {
            description: `The type of the body is not ${PARTIAL}`,
            response: UploadProblem,
            contentType: PROBLEM_JSON,
            headers: { 'Accept-Patch': 'always' },
          },
        },
        errors: [
          'FILE_TOO_LARGE',
          'UNSUPPORTED_PHOTO',
          'TYPE_NOT_ALLOWED',
          'DIGEST_MISMATCH',
          'TOO_MANY_PIECES',
          'UPLOAD_DELETED',
          'UPLOAD_FAILED',
          'UPLOAD_TOO_SLOW',
          'TOO_MANY_UPLOADS',
        ],
      }),
    )
    .delete(
      '/:id',
      abort,
      route({
        auth: 'upload.create',
        summary: 'Delete your upload and what has arrived of it',
        id: 'abortResumableUpload',
        params: ResumableId,
        status: 204,
        errorHeaders: ERROR_HEADERS,
        answers: { 400: REFUSED },
      }),
    )

async function begin(call: SignedCall & Query<typeof FileName>) {
  const { ctx, principal, query, request, set } = call
  return answering(call, async (maxBytes) => {
    const isLast = requiredBoolean(request, 'upload-complete')
    const length = lengthOf(request)
    const session = await openResumablePhoto(ctx, {
      userId: principal.userId,
      fileName: query.filename ?? nameOf(request),
      mimeType: typeOf(request),
      fileSize: sizeOf(request, isLast ? length : undefined),
      sha256: digestOf(request, 'repr-digest') ?? null,
    })
    const location = `${originOf(ctx, request)}/v1/upload/resumable/${session.id}`
    Object.assign(set.headers, { location, 'upload-limit': limitOf(maxBytes) })
    try {
      return await receive(call, session, { offset: 0, isLast, maxBytes })
    } catch (error) {
      // The client has not got the location, so it can neither go on with the upload nor delete it.
      if (error instanceof AppError && error.code === 'CLIENT_CLOSED') await abortSession(ctx, session)
      throw error
    }
  })
}

async function show(call: SignedCall & Params<typeof ResumableId>) {
  const { ctx, principal, params, set } = call
  const session = await settledSession(ctx, principal.userId, params.id)
  const left = (await expiryOf(ctx, session)).getTime() - Date.now()
  const age = Math.max(0, Math.floor(left / 1000))
  Object.assign(set.headers, {
    'upload-offset': String(session.received),
    'upload-complete': booleanText(session.status === 'completed'),
    'upload-limit': limitOf(await maxPhotoBytes(ctx), age),
    'cache-control': 'no-store',
    ...(session.fileSize !== null && { 'upload-length': String(session.fileSize) }),
  })
}

async function goOn(call: SignedCall & Params<typeof ResumableId>) {
  const { ctx, principal, params, request, set } = call
  return answering(call, async (maxBytes) => {
    const session = await getSession(ctx, principal.userId, 'resumable', params.id)
    if (typeOf(request) !== PARTIAL) return wrongType(request, PARTIAL)
    const offset = requiredInteger(request, 'upload-offset')
    const isLast = requiredBoolean(request, 'upload-complete')
    if (!isLast) set.status = 204
    return receive(call, session, { offset, isLast, maxBytes })
  })
}

async function abort(call: SignedCall & Params<typeof ResumableId>) {
  const { ctx, principal, params } = call
  return answering(call, async () => {
    await abortSession(ctx, await settledSession(ctx, principal.userId, params.id))
  })
}

/** Appends the body of a request, and completes the upload with the last one. */
async function receive(
  { ctx, principal, request, server, set }: SignedCall,
  session: UploadSession,
  { offset, isLast, maxBytes }: { offset: number; isLast: boolean; maxBytes: number },
) {
  const length = lengthOf(request)
  const wholeSha256 = isLast ? digestOf(request, 'repr-digest') : undefined
  assertSameDigest(session, wholeSha256)
  // A client that did not get the answer to its last bytes asks again without any.
  const isWhole = offset === session.received && offset === (session.fileSize ?? offset)
  const isRepeated = isLast && length === 0 && isWhole
  if (!isRepeated) {
    const sha256 = digestOf(request, 'content-digest')
    const fileSize = integerField(request, 'upload-length')
    await neverIdle(server, request, () =>
      readRaw(request, (body) =>
        append(ctx, session, { body, sha256, offset, isLast, length, fileSize, maxBytes }),
      ),
    )
  }
  set.headers['upload-complete'] = booleanText(isLast)
  if (!isLast) return undefined
  const file = await neverIdle(server, request, () =>
    completeResumable(ctx, principal, session, wholeSha256).catch((error) => {
      throw new CompletionError('a complete upload became no file', { cause: error })
    }),
  )
  const earlier = await duplicatesOf(ctx, [file])
  return envelope(request, presentUploaded(ctx, request, file, earlier.get(file.id)), 201)
}

/** All bytes have arrived, and making a file of them failed. */
class CompletionError extends Error {}

/** Answers an error with the header fields and the problem types of the draft. */
async function answering<T>(
  { ctx, request }: SignedCall,
  work: (maxBytes: number) => Promise<T>,
): Promise<T | Response> {
  const maxBytes = await maxPhotoBytes(ctx)
  try {
    return await work(maxBytes)
  } catch (thrown) {
    const error = thrown instanceof CompletionError ? thrown.cause : thrown
    const processed = thrown instanceof CompletionError && isAboutContent(error)
    return failure({ ctx, request, limit: limitOf(maxBytes) }, error, processed)
  }
}

/**
 * The header fields of the answer to OPTIONS, which needs no sign-in: a client asks for the limits before it begins an upload
 * (the draft, "Limits"). Only the owner of an upload may know how old it is.
 */
export async function resumableOptions(ctx: Context, path: string): Promise<Record<string, string>> {
  const [found, id] = /^\/v1\/upload\/resumable(\/[^/]+)?$/.exec(path) ?? []
  if (found === undefined) return {}
  const maxBytes = await maxPhotoBytes(ctx)
  return { 'upload-limit': id === undefined ? limitOf(maxBytes) : limitOf(maxBytes, null) }
}

/** @param age seconds until the upload is deleted, by default those of a new one */
const limitOf = (maxBytes: number, age: number | null = KEEP_HOURS * 3600): string =>
  age === null ? `max-size=${maxBytes}` : `max-size=${maxBytes}, max-age=${age}`

const typeOf = (request: Request): string =>
  (request.headers.get('content-type') ?? '').split(';', 1)[0]!.trim().toLowerCase()

/** @param end of the body, when it is the end of the file. @throws AppError INCONSISTENT_UPLOAD_LENGTH */
function sizeOf(request: Request, end: number | undefined): number | null {
  const said = integerField(request, 'upload-length')
  if (said !== undefined && end !== undefined && said !== end)
    throw new AppError('INCONSISTENT_UPLOAD_LENGTH')
  return said ?? end ?? null
}

const nameOf = (request: Request): string =>
  parseDisposition(request.headers.get('content-disposition') ?? '').filename ?? ''
