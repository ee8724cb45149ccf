/** Completing an upload that arrived in pieces: they become one file, received like any other. */
import { and, eq, lt, or, sql } from 'drizzle-orm'
import { uploadPieces, uploadSessions } from '../../db/schema/index.ts'
import type { Context, Tx } from '../context.ts'
import { AppError, notFound } from '../errors.ts'
import { asChunked, assertWhole, forgetChunk } from './chunks.ts'
import type { FileFormat } from './formats.ts'
import { deleteObjectsOf, joined, piecesOf, type UploadPiece } from './pieces.ts'
import { receiveFile, type UploadKind } from './receive.ts'
import { assertSameDigest, type UploadSession } from './sessions.ts'

/** A completion that was not renewed for this time has lost its server. */
const LEASE_SECONDS = 15
const RENEW_MS = 4000
/** How long a second request waits for the first one's result. */
const WAIT_MS = 15_000
const LOOK_MS = 200

/**
 * Puts the pieces together and receives them as one file of `kind`. It makes at most one file: a request at the same time
 * waits for the result, a later one gets it at once. After a failure, the upload is open as before.
 * @param options.sha256 that the file must have, in lower-case hexadecimal, besides the one that the session may have
 * @returns the id of the file's record
 * @throws AppError CHUNKS_MISSING, UPLOAD_COMPLETING when another request is at it for too long, NOT_FOUND when the upload was
 * aborted meanwhile, DIGEST_MISMATCH, and every other error of `receiveFile`
 */
export async function completeSession<F extends FileFormat, Row extends { id: number }, Details>(
  ctx: Context,
  session: UploadSession,
  kind: UploadKind<F, Row, Details>,
  { details, sha256 }: { details: Details; sha256?: string | undefined },
): Promise<number> {
  assertSameDigest(session, sha256)
  const claim = await claimCompletion(ctx, session.id)
  if ('fileId' in claim) return claim.fileId
  const { completer } = claim
  const renewing = setInterval(() => renew(ctx, session.id, completer), RENEW_MS)
  try {
    const pieces = await piecesOf(ctx, session.id)
    if (session.protocol === 'chunked') assertWhole(asChunked(session), pieces)
    using digest = ctx.services.pieceDigests.of(session.id, pieces)
    const source = {
      total: claim.session.fileSize,
      digest: digest && (() => orFailed(ctx, session, digest.sha256)),
      sha256: session.sha256 ?? sha256,
      async read(take: (file: TakenFile<Details>) => Promise<void>) {
        const body = joined(ctx, pieces, (piece) => losePiece(ctx, session, completer, piece))
        try {
          await take({ name: session.fileName, details, body })
        } finally {
          // Closes the object of a piece that was not read to its end.
          await body.return(undefined)
        }
        return details
      },
    }
    const file = await receiveFile(ctx, session.userId, kind, source, (tx, { id }) =>
      markCompleted(tx, session.id, completer, id),
    )
    await deleteObjectsOf(ctx, session.id)
    return file.id
  } catch (error) {
    await release(ctx, session.id, completer)
    throw error
  } finally {
    clearInterval(renewing)
  }
}

interface TakenFile<Details> {
  name: string
  details: Details
  body: AsyncIterable<Uint8Array>
}

type Claim = { fileId: number } | { completer: string; session: UploadSession }

async function claimCompletion(ctx: Context, id: number): Promise<Claim> {
  const deadline = performance.now() + WAIT_MS
  for (;;) {
    const completer = crypto.randomUUID()
    const lost = lt(uploadSessions.completingAt, sql`now() - make_interval(secs => ${LEASE_SECONDS})`)
    const [session] = await ctx.db
      .update(uploadSessions)
      .set({ status: 'completing', completer, completingAt: sql`now()`, updatedAt: sql`now()` })
      .where(
        and(
          eq(uploadSessions.id, id),
          or(eq(uploadSessions.status, 'open'), and(eq(uploadSessions.status, 'completing'), lost)),
        ),
      )
      .returning()
    if (session) return { completer, session }
    const [left] = await ctx.db.select().from(uploadSessions).where(eq(uploadSessions.id, id))
    if (!left) throw notFound('upload', id)
    if (left.fileId !== null) return { fileId: left.fileId }
    if (performance.now() > deadline) throw new AppError('UPLOAD_COMPLETING')
    await Bun.sleep(LOOK_MS)
  }
}

const isCompleter = (id: number, completer: string) =>
  and(
    eq(uploadSessions.id, id),
    eq(uploadSessions.completer, completer),
    eq(uploadSessions.status, 'completing'),
  )

/** In the commit that completes the file, so that one upload never becomes two files. */
async function markCompleted(tx: Tx, id: number, completer: string, fileId: number): Promise<void> {
  const done = await tx.db
    .update(uploadSessions)
    .set({ status: 'completed', fileId, completer: null, updatedAt: sql`now()` })
    .where(isCompleter(id, completer))
    .returning({ id: uploadSessions.id })
  // The upload was aborted, or another request has taken it over.
  if (done.length === 0) throw notFound('upload', id)
  await tx.db.delete(uploadPieces).where(eq(uploadPieces.sessionId, id))
}

/** A failure is not reported: the lease ends by itself. */
function renew(ctx: Context, id: number, completer: string): void {
  ctx.db
    .update(uploadSessions)
    .set({ completingAt: sql`now()` })
    .where(isCompleter(id, completer))
    .then(undefined, () => {})
}

/** Opens the upload again after a failure. When this fails too, the lease ends by itself. */
async function release(ctx: Context, id: number, completer: string): Promise<void> {
  try {
    await ctx.db
      .update(uploadSessions)
      .set({ status: 'open', completer: null })
      .where(isCompleter(id, completer))
  } catch (error) {
    ctx.log.warn({ err: error, session: id }, 'an upload stays closed until its lease ends')
  }
}

async function orFailed(ctx: Context, session: UploadSession, sha256: Promise<string>): Promise<string> {
  try {
    return await sha256
  } catch (error) {
    ctx.log.warn({ err: error, session: session.id }, 'the digest of an upload could not be taken')
    throw new AppError('UPLOAD_FAILED')
  }
}

/** A chunk can be sent again. The bytes of a resumable upload cannot, so such an upload ends. */
async function losePiece(
  ctx: Context,
  session: UploadSession,
  completer: string,
  piece: UploadPiece,
): Promise<AppError> {
  const own = isCompleter(session.id, completer)
  // The upload was aborted, or another request has completed it, and its pieces were deleted.
  if ((await ctx.db.$count(uploadSessions, own)) === 0) return notFound('upload', session.id)
  ctx.log.warn({ key: piece.objectKey }, 'a piece of an upload is lost')
  if (session.protocol === 'chunked') return forgetChunk(ctx, asChunked(session), piece)
  await ctx.db.delete(uploadSessions).where(own)
  return new AppError('UPLOAD_FAILED')
}
