/** Uploads that arrive in several requests. All servers share their state: docs/contracts/portfolio.md, "Chunked uploads". */
import { and, eq, ne, sql } from 'drizzle-orm'
import { prepared } from '../../db/prepared.ts'
import { uploadPieces, uploadSessions } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { AppError, notFound } from '../errors.ts'
import { transaction } from '../transaction.ts'
import { deleteObjectsOf } from './pieces.ts'

export type UploadSession = typeof uploadSessions.$inferSelect
export type SessionProtocol = UploadSession['protocol']

/** Unfinished uploads of one user. Each is at most as large as a single upload, so their bytes are limited too. */
const MAX_UNFINISHED = 20
/** An upload is deleted when nothing has happened to it for this time. */
export const KEEP_HOURS = 24

/** What a client says of an upload before its bytes come. */
export interface NewSession
  extends Pick<UploadSession, 'protocol' | 'fileName' | 'mimeType' | 'fileSize' | 'chunkSize' | 'sha256'> {
  userId: number
}

/** @throws AppError TOO_MANY_UNFINISHED_UPLOADS */
export const openSession = (ctx: Context, session: NewSession): Promise<UploadSession> =>
  transaction(ctx, async (tx) => {
    // Two requests cannot both take the last place.
    await tx.db.execute(
      sql`select pg_advisory_xact_lock(hashtext('roost:upload_sessions'), ${session.userId}::int)`,
    )
    const unfinished = and(eq(uploadSessions.userId, session.userId), ne(uploadSessions.status, 'completed'))
    if ((await tx.db.$count(uploadSessions, unfinished)) >= MAX_UNFINISHED) {
      throw new AppError('TOO_MANY_UNFINISHED_UPLOADS', { params: { limit: MAX_UNFINISHED } })
    }
    const [row] = await tx.db.insert(uploadSessions).values(session).returning()
    return row!
  })

/** @throws AppError NOT_FOUND, also for the upload of another user */
export async function getSession(
  ctx: Context,
  userId: number,
  protocol: SessionProtocol,
  id: number,
): Promise<UploadSession> {
  const [session] = await selectSession(ctx.db).execute({ id, userId, protocol })
  if (!session) throw notFound('upload', id)
  return session
}

const value = sql.placeholder

/** Prepared, because every chunk begins with it. */
const selectSession = prepared((db) =>
  db
    .select()
    .from(uploadSessions)
    .where(
      and(
        eq(uploadSessions.id, value('id')),
        eq(uploadSessions.userId, value('userId')),
        eq(uploadSessions.protocol, value('protocol')),
      ),
    )
    .prepare('select_upload_session'),
)

/**
 * Deletes an upload and what has arrived of it. A request that stores a piece at this time, or puts the pieces together,
 * fails.
 * @throws AppError UPLOAD_COMPLETED
 */
export async function abortSession(ctx: Context, { id }: UploadSession): Promise<void> {
  const gone = await ctx.db
    .delete(uploadSessions)
    .where(and(eq(uploadSessions.id, id), ne(uploadSessions.status, 'completed')))
    .returning({ id: uploadSessions.id })
  if (gone.length === 0) throw await closedError(ctx, id)
  await deleteObjectsOf(ctx, id)
}

/** Why an upload takes no more bytes: it is complete, it is being completed, or it no longer exists. */
export async function closedError(ctx: Context, id: number): Promise<AppError> {
  const [left] = await ctx.db
    .select({ status: uploadSessions.status })
    .from(uploadSessions)
    .where(eq(uploadSessions.id, id))
  if (!left) return notFound('upload', id)
  return new AppError(left.status === 'completed' ? 'UPLOAD_COMPLETED' : 'UPLOAD_COMPLETING')
}

/**
 * A client may name the SHA-256 of the whole file at the beginning of an upload, at its end, or both.
 * @throws AppError DIGEST_MISMATCH when these two differ
 */
export function assertSameDigest({ sha256 }: Pick<UploadSession, 'sha256'>, atEnd: string | undefined): void {
  if (sha256 !== null && atEnd !== undefined && sha256 !== atEnd) throw new AppError('DIGEST_MISMATCH')
}

/** When the upload will be deleted unless something happens to it. */
export async function expiryOf(ctx: Context, { id, updatedAt }: UploadSession): Promise<Date> {
  const [newest] = await ctx.db
    .select({ at: sql<Date | null>`max(${uploadPieces.storedAt})`.mapWith(uploadPieces.storedAt) })
    .from(uploadPieces)
    .where(eq(uploadPieces.sessionId, id))
  const last = Math.max(updatedAt.getTime(), newest?.at?.getTime() ?? 0)
  return new Date(last + KEEP_HOURS * 3_600_000)
}
