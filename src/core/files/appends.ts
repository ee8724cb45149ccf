/** Uploads whose bytes come in order, and go on after an interruption: docs/contracts/portfolio.md, "Resumable uploads". */
import { and, eq, ne, sql } from 'drizzle-orm'
import { preparedSql } from '../../db/prepared.ts'
import { uploadPieces, uploadSessions } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { AppError, notFound } from '../errors.ts'
import { MAX_CHUNKS } from './chunks.ts'
import { tooLarge } from './formats.ts'
import { uploadEndedHint } from './hints.ts'
import { IncomingBytes } from './incoming-bytes.ts'
import { type Arriving, discard, writePiece } from './pieces.ts'
import { closedError, getSession, type UploadSession } from './sessions.ts'

/** Bytes of a piece. A server that is killed loses fewer bytes of an upload. */
const PIECE_BYTES = 4 * 1024 * 1024
/** How long a request that appends has to store what has arrived, when another request interrupts it. */
const STOP_MS = 2000
const LOOK_MS = 20

export interface Append extends Arriving {
  /** Where the client believes that the bytes belong. */
  offset: number
  /** Whether the file ends with these bytes. */
  isLast: boolean
  /** Bytes of the body, when the client says it. */
  length: number | undefined
  /** Bytes of the whole file, when the client says it. */
  fileSize: number | undefined
  /** Bytes that the whole file may have. */
  maxBytes: number
}

/**
 * Appends to an upload. What arrives before the connection breaks, or before another request goes on with the upload, stays;
 * with a digest, the body is appended as a whole or not at all.
 * @returns the upload, with what has been stored
 * @throws AppError MISMATCHING_UPLOAD_OFFSET, INCONSISTENT_UPLOAD_LENGTH, FILE_TOO_LARGE, UPLOAD_COMPLETED, UPLOAD_COMPLETING,
 * UPLOAD_INTERRUPTED, TOO_MANY_PIECES, TOO_MANY_PIECES_AT_ONCE, DIGEST_MISMATCH, UPLOAD_FAILED, and every AppError of the body
 */
export async function append(ctx: Context, session: UploadSession, bytes: Append): Promise<UploadSession> {
  if (session.status !== 'open') throw await closedError(ctx, session.id)
  if (bytes.offset !== session.received) throw mismatch(session, bytes)
  const fileSize = sizeOf(session, bytes)
  if ((fileSize ?? bytes.offset) > bytes.maxBytes) throw tooLarge(bytes.maxBytes)
  using _ = ctx.services.pieces.enter(session.userId)
  const appender = crypto.randomUUID()
  const claimed = await claim(ctx, session, { appender, fileSize, offset: bytes.offset })
  using stop = ctx.services.uploads.watch(nameOf(session.id, appender))
  try {
    const incoming = new IncomingBytes(bytes.body, stop.signal)
    const limit = fileSize ?? bytes.maxBytes
    let { received } = claimed
    while (await incoming.hasMore()) {
      if (received === limit) throw fileSize === null ? tooLarge(bytes.maxBytes) : await overrun(ctx, session)
      const most = bytes.sha256 ? limit - received : Math.min(PIECE_BYTES, limit - received)
      received += await store(ctx, { ...claimed, appender, received }, incoming, most, bytes.sha256)
    }
    if (incoming.failure) throw incoming.failure
    if (bytes.isLast && fileSize !== null && received !== fileSize) throw inconsistent()
    return { ...claimed, received }
  } finally {
    await leave(ctx, session.id, appender)
  }
}

const mismatch = ({ received }: UploadSession, { offset }: Append) =>
  new AppError('MISMATCHING_UPLOAD_OFFSET', { params: { expectedOffset: received, providedOffset: offset } })
const inconsistent = () => new AppError('INCONSISTENT_UPLOAD_LENGTH')

/** The size of the whole file; null when nobody has said it. @throws AppError INCONSISTENT_UPLOAD_LENGTH */
function sizeOf(session: UploadSession, { offset, isLast, length, fileSize }: Append): number | null {
  const end = length === undefined ? undefined : offset + length
  const said = [session.fileSize ?? undefined, fileSize, isLast ? end : undefined].filter(
    (size) => size !== undefined,
  )
  const [size] = said
  if (size === undefined) return null
  if (said.some((other) => other !== size) || (end !== undefined && end > size)) throw inconsistent()
  return size
}

/** From now on only this request may append. One that was at it before stores nothing any more. */
async function claim(
  ctx: Context,
  session: UploadSession,
  { appender, fileSize, offset }: { appender: string; fileSize: number | null; offset: number },
): Promise<UploadSession> {
  if ((await ctx.db.$count(uploadPieces, eq(uploadPieces.sessionId, session.id))) >= MAX_CHUNKS) {
    throw new AppError('TOO_MANY_PIECES', { params: { limit: MAX_CHUNKS } })
  }
  const [claimed] = await ctx.db
    .update(uploadSessions)
    .set({ appender, fileSize, updatedAt: sql`now()` })
    .where(
      and(
        eq(uploadSessions.id, session.id),
        eq(uploadSessions.status, 'open'),
        eq(uploadSessions.received, offset),
      ),
    )
    .returning()
  if (!claimed) throw await refusal(ctx, session.id, offset)
  if (session.appender) stopAppender(ctx, session.id, session.appender)
  return claimed
}

/** Why the upload does not take bytes at this offset any more. */
async function refusal(ctx: Context, id: number, offset: number): Promise<AppError> {
  const [now] = await ctx.db.select().from(uploadSessions).where(eq(uploadSessions.id, id))
  if (now?.status !== 'open') return closedError(ctx, id)
  if (now.received === offset) return new AppError('UPLOAD_INTERRUPTED')
  return new AppError('MISMATCHING_UPLOAD_OFFSET', {
    params: { expectedOffset: now.received, providedOffset: offset },
  })
}

/** @returns the size of the stored piece */
async function store(
  ctx: Context,
  { id, received, appender }: UploadSession,
  incoming: IncomingBytes,
  most: number,
  sha256: string | undefined,
): Promise<number> {
  const { key, size } = await writePiece(ctx, id, received, incoming.take(most, sha256))
  const [stored] = await insertNext(ctx.db).execute({ id, appender, start: received, size, objectKey: key })
  if (stored) {
    ctx.services.pieceDigests.follow(id, { start: received, size, objectKey: key })
    return size
  }
  await discard(ctx, key)
  throw await refusal(ctx, id, received)
}

const value = sql.placeholder

/** The piece that begins where the stored bytes end, unless another request has taken the upload over. */
const insertNext = preparedSql<{ id: number }>(
  'insert_next_piece',
  sql`
    with session as (
      update upload_sessions set received = received + ${value('size')}::int, updated_at = now()
      where id = ${value('id')}::int and status = 'open' and appender = ${value('appender')}
        and received = ${value('start')}::bigint
      returning id
    )
    insert into upload_pieces (session_id, start, size, object_key)
    select id, ${value('start')}::bigint, ${value('size')}::int, ${value('objectKey')} from session
    returning session_id as id`,
)

/** More bytes came than the client had announced, and the server cannot know which of them are wrong. */
async function overrun(ctx: Context, { id }: UploadSession): Promise<AppError> {
  await ctx.db
    .delete(uploadSessions)
    .where(and(eq(uploadSessions.id, id), ne(uploadSessions.status, 'completed')))
  return inconsistent()
}

async function leave(ctx: Context, id: number, appender: string): Promise<void> {
  try {
    await ctx.db
      .update(uploadSessions)
      .set({ appender: null })
      .where(and(eq(uploadSessions.id, id), eq(uploadSessions.appender, appender)))
  } catch (error) {
    ctx.log.warn({ err: error, session: id }, 'the next request for an upload waits for one that has ended')
  }
}

const nameOf = (id: number, appender: string) => `session:${id}:${appender}`

const stopAppender = (ctx: Context, id: number, appender: string): void =>
  ctx.bus.publish(uploadEndedHint, { upload: nameOf(id, appender), code: 'UPLOAD_INTERRUPTED' })

/**
 * The upload after it has stopped growing: a request that appends to it stores what has arrived, and ends. So the offset in the
 * result stays true until the client goes on.
 * @throws AppError NOT_FOUND, also for the upload of another user
 */
export async function settledSession(ctx: Context, userId: number, id: number): Promise<UploadSession> {
  const deadline = performance.now() + STOP_MS
  let told: string | undefined
  for (;;) {
    const session = await getSession(ctx, userId, 'resumable', id)
    const { appender } = session
    if (!appender) return session
    if (told !== appender) stopAppender(ctx, id, appender)
    told = appender
    // Its server was killed, or stores too slowly.
    if (performance.now() > deadline) return takeAway(ctx, session)
    await Bun.sleep(LOOK_MS)
  }
}

async function takeAway(ctx: Context, { id }: UploadSession): Promise<UploadSession> {
  const [session] = await ctx.db
    .update(uploadSessions)
    .set({ appender: null })
    .where(eq(uploadSessions.id, id))
    .returning()
  if (!session) throw notFound('upload', id)
  return session
}
