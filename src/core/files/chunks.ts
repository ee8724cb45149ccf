/** Uploads in numbered chunks, which come in any order: docs/contracts/portfolio.md, "Chunked uploads". */
import { and, eq, sql } from 'drizzle-orm'
import { LRUCache } from 'lru-cache'
import { uploadPieces, uploadSessions } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import { transaction } from '../transaction.ts'
import { type Arriving, discard, piecesOf, recordPiece, type UploadPiece, writePiece } from './pieces.ts'
import { closedError, getSession, openSession, type UploadSession } from './sessions.ts'

export const MAX_CHUNKS = 10_000

/** A chunked upload: its sizes are known from the beginning. */
export type ChunkedSession = UploadSession & { fileSize: number; chunkSize: number }

export interface NewChunkedUpload {
  fileName: string
  mimeType: string
  /** Bytes. */
  fileSize: number
  /** Bytes. */
  chunkSize: number
  /** Of the whole file, in lower-case hexadecimal; null when the client does not know it. */
  sha256: string | null
}

/** @throws AppError TOO_MANY_CHUNKS, TOO_MANY_UNFINISHED_UPLOADS */
export async function openChunked(
  ctx: Context,
  userId: number,
  upload: NewChunkedUpload,
): Promise<ChunkedSession> {
  if (chunksOf(upload) > MAX_CHUNKS) {
    throw new AppError('TOO_MANY_CHUNKS', { params: { limit: MAX_CHUNKS, totalChunks: chunksOf(upload) } })
  }
  return asChunked(await openSession(ctx, { ...upload, userId, protocol: 'chunked' }))
}

/** What never changes of a chunked upload. */
export type ChunkedSizes = Pick<ChunkedSession, 'id' | 'userId' | 'fileSize' | 'chunkSize'>

const KNOWN_SESSIONS = 1000
export const knownSessions = () => new LRUCache<number, ChunkedSizes>({ max: KNOWN_SESSIONS })

/**
 * An upload that takes chunks, from memory when this server has seen it before. `putChunk` finds out whether it still does.
 * @throws AppError NOT_FOUND, also for the upload of another user, UPLOAD_COMPLETED, UPLOAD_COMPLETING
 */
export async function openedSession(ctx: Context, userId: number, id: number): Promise<ChunkedSizes> {
  const { knownSessions } = ctx.services
  const known = knownSessions.get(id)
  if (known?.userId === userId) return known
  const session = asChunked(await getSession(ctx, userId, 'chunked', id))
  if (session.status !== 'open') throw await closedError(ctx, id)
  const { fileSize, chunkSize } = session
  const sizes = { id, userId, fileSize, chunkSize }
  knownSessions.set(id, sizes)
  return sizes
}

/** The check constraint of the table keeps the sizes of chunked uploads. */
export const asChunked = (session: UploadSession): ChunkedSession => session as ChunkedSession

/** Chunks of which some bytes have arrived: only the last chunk may be short. */
const chunksIn = (bytes: number, { chunkSize }: Pick<ChunkedSession, 'chunkSize'>): number =>
  Math.ceil(bytes / chunkSize)

export const chunksOf = (upload: Pick<ChunkedSession, 'fileSize' | 'chunkSize'>): number =>
  chunksIn(upload.fileSize, upload)

/** Bytes of a chunk: the last one may be shorter. @throws AppError CHUNK_OUT_OF_RANGE */
function sizeOfChunk(session: ChunkedSizes, index: number): number {
  const totalChunks = chunksOf(session)
  if (index >= totalChunks) {
    throw new AppError('CHUNK_OUT_OF_RANGE', { params: { totalChunks } })
  }
  return Math.min(session.chunkSize, session.fileSize - index * session.chunkSize)
}

/**
 * Stores a chunk. When the same chunk arrives several times, the one that is complete last counts.
 * @param length of the body, when the client says it
 * @returns how many chunks have arrived
 * @throws AppError CHUNK_OUT_OF_RANGE, CHUNK_SIZE_MISMATCH, DIGEST_MISMATCH, UPLOAD_COMPLETED, UPLOAD_COMPLETING,
 * TOO_MANY_PIECES_AT_ONCE, UPLOAD_FAILED, and every AppError of the body
 */
export async function putChunk(
  ctx: Context,
  session: ChunkedSizes,
  index: number,
  { body, sha256, length }: Arriving & { length: number | undefined },
): Promise<number> {
  const size = sizeOfChunk(session, index)
  if (length !== undefined && length !== size) throw wrongSize(size, length)
  using _ = ctx.services.pieces.enter(session.userId)
  const start = index * session.chunkSize
  const { key } = await writePiece(ctx, session.id, start, exactly(size, body, sha256))
  const piece = { sessionId: session.id, start, size, objectKey: key }
  const recorded = await recordPiece(ctx, piece)
  if (!recorded) {
    ctx.services.knownSessions.delete(session.id)
    await discard(ctx, key)
    throw await closedError(ctx, session.id)
  }
  ctx.services.pieceDigests.follow(session.id, piece)
  if (recorded.replaced) await discard(ctx, recorded.replaced)
  return chunksIn(recorded.received, session)
}

const wrongSize = (expectedSize: number, receivedSize: number) =>
  new AppError('CHUNK_SIZE_MISMATCH', { params: { expectedSize, receivedSize } })

/** @throws AppError CHUNK_SIZE_MISMATCH, DIGEST_MISMATCH */
async function* exactly(
  size: number,
  body: AsyncIterable<Uint8Array>,
  sha256: string | undefined,
): AsyncGenerator<Uint8Array> {
  const hash = sha256 ? new Bun.CryptoHasher('sha256') : undefined
  let received = 0
  for await (const bytes of body) {
    received += bytes.byteLength
    if (received > size) throw wrongSize(size, received)
    hash?.update(bytes)
    yield bytes
  }
  if (received < size) throw wrongSize(size, received)
  if (hash && hash.digest('hex') !== sha256) throw new AppError('DIGEST_MISMATCH')
}

/** What has arrived of a chunked upload. */
export interface ChunksState {
  receivedChunks: number
  /** Bytes. */
  received: number
  /** Their numbers, in order. */
  missing: number[]
}

export async function chunksState(ctx: Context, session: ChunkedSession): Promise<ChunksState> {
  // A complete upload has no pieces any more.
  if (session.status === 'completed') {
    return { receivedChunks: chunksOf(session), received: session.fileSize, missing: [] }
  }
  return stateOf(session, await piecesOf(ctx, session.id))
}

function stateOf(session: ChunkedSession, pieces: UploadPiece[]): ChunksState {
  const starts = new Set(pieces.map(({ start }) => start))
  const missing: number[] = []
  for (let index = 0; index < chunksOf(session); index++) {
    if (!starts.has(index * session.chunkSize)) missing.push(index)
  }
  return {
    receivedChunks: pieces.length,
    received: pieces.reduce((sum, { size }) => sum + size, 0),
    missing,
  }
}

/** @throws AppError CHUNKS_MISSING, with their numbers */
export function assertWhole(session: ChunkedSession, pieces: UploadPiece[]): void {
  const { missing } = stateOf(session, pieces)
  if (missing.length > 0) throw missingError(missing)
}

const missingError = (missingChunks: number[]) =>
  new AppError('CHUNKS_MISSING', { params: { count: missingChunks.length, missingChunks } })

/** Forgets a chunk whose object is lost, so that the client can send it again. */
export async function forgetChunk(
  ctx: Context,
  session: ChunkedSession,
  { start, objectKey }: UploadPiece,
): Promise<AppError> {
  await transaction(ctx, async (tx) => {
    // The session first, as every other change locks them.
    await tx.db
      .select({ id: uploadSessions.id })
      .from(uploadSessions)
      .where(eq(uploadSessions.id, session.id))
      .for('update')
    const lost = await tx.db
      .delete(uploadPieces)
      .where(
        and(
          eq(uploadPieces.sessionId, session.id),
          eq(uploadPieces.start, start),
          eq(uploadPieces.objectKey, objectKey),
        ),
      )
      .returning({ size: uploadPieces.size })
    await tx.db
      .update(uploadSessions)
      .set({ received: sql`${uploadSessions.received} - ${lost.reduce((sum, { size }) => sum + size, 0)}` })
      .where(eq(uploadSessions.id, session.id))
  })
  return missingError((await chunksState(ctx, session)).missing)
}
