/** The pieces of an upload: objects that wait until the upload is complete. */
import { randomBytes } from 'node:crypto'
import { asc, eq, sql } from 'drizzle-orm'
import { preparedSql } from '../../db/prepared.ts'
import { uploadPieces } from '../../db/schema/index.ts'
import { released } from '../../util/released.ts'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import { Places } from './places.ts'

export type UploadPiece = typeof uploadPieces.$inferSelect

export const PIECES_PREFIX = 'incoming/'
const folderOf = (sessionId: number) => `${PIECES_PREFIX}${sessionId}/`
/** The upload that an object under `PIECES_PREFIX` belongs to. */
export const sessionOfKey = (key: string): number => Number(key.split('/')[1])

/** Pieces of one user that this server receives at the same time: a browser sends six. */
const AT_ONCE = 16
const RETRY_SECONDS = 1

export const piecePlaces = (): Places =>
  new Places(
    AT_ONCE,
    (limit) => new AppError('TOO_MANY_PIECES_AT_ONCE', { params: { limit, seconds: RETRY_SECONDS } }),
  )

/** What arrives of an upload with one request. */
export interface Arriving {
  /** A chunk is valid until the next one is asked for. */
  body: AsyncIterable<Uint8Array>
  /** The SHA-256 that `body` must have, in lower-case hexadecimal. */
  sha256?: string | undefined
}

/**
 * Stores a piece as an object of its own, so that a piece that arrives twice replaces the other one as a whole. The object
 * survives the end of the process, but not always a loss of power: to sync every piece would cost more than to send a lost one
 * again.
 * @throws AppError UPLOAD_FAILED, and every AppError of the body
 */
export async function writePiece(
  ctx: Context,
  sessionId: number,
  start: number,
  body: AsyncIterable<Uint8Array>,
): Promise<{ key: string; size: number }> {
  const key = `${folderOf(sessionId)}${start}_${randomBytes(8).toString('hex')}`
  try {
    const size = await ctx.storage.write(key, body, { durable: false })
    return { key, size }
  } catch (error) {
    if (error instanceof AppError) throw error
    ctx.log.warn({ err: error, key }, 'a piece of an upload could not be stored')
    throw new AppError('UPLOAD_FAILED')
  }
}

/**
 * Adds a piece to an open upload, and replaces one that begins at the same byte.
 * @returns undefined when the upload is not open; otherwise the bytes of all its pieces, and the key of the replaced object
 */
export async function recordPiece(
  ctx: Context,
  piece: Omit<UploadPiece, 'storedAt'>,
): Promise<{ received: number; replaced: string | null } | undefined> {
  for (;;) {
    const [row] = await insertPiece(ctx.db).execute(piece)
    if (!row) return undefined
    if (row.received !== null) return { received: Number(row.received), replaced: row.replaced }
  }
}

const value = sql.placeholder

/**
 * The lock on the session makes a completion wait, which then sees the piece. The lock on the old piece makes this statement
 * see its newest version. A row that the statement inserted has no `xmax`, unlike one that it replaced. When another request
 * inserts the same piece after this statement began, the statement cannot see its object and stores nothing: `received` is
 * null, and the statement has to run again.
 */
const insertPiece = preparedSql<{ received: number | string | null; replaced: string | null }>(
  'insert_piece',
  sql`
    with session as (
      select id from upload_sessions where id = ${value('sessionId')}::int and status = 'open' for update
    ), old as (
      select object_key from upload_pieces
      where session_id = (select id from session) and start = ${value('start')}::bigint for update
    ), piece as (
      insert into upload_pieces (session_id, start, size, object_key)
      select session.id, ${value('start')}::bigint, ${value('size')}::int, ${value('objectKey')}
      from session left join old on true
      on conflict (session_id, start)
      do update set size = excluded.size, object_key = excluded.object_key, stored_at = now()
      where exists (select from old)
      returning session_id, case when xmax = 0 then size else 0 end as added
    ), total as (
      update upload_sessions set received = received + piece.added from piece where id = piece.session_id
      returning received
    )
    select total.received, old.object_key as replaced
    from session left join total on true left join old on true`,
)

/** In their order. */
export const piecesOf = (ctx: Context, sessionId: number): Promise<UploadPiece[]> =>
  ctx.db
    .select()
    .from(uploadPieces)
    .where(eq(uploadPieces.sessionId, sessionId))
    .orderBy(asc(uploadPieces.start))

/**
 * The bytes of the pieces, one after the other.
 * @param lost makes the error for a piece whose object is not there or not whole
 * @throws AppError UPLOAD_FAILED when the storage fails
 */
export async function* joined(
  ctx: Context,
  pieces: UploadPiece[],
  lost: (piece: UploadPiece) => Promise<AppError>,
): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) {
    try {
      const stored = await ctx.storage.read(piece.objectKey)
      if (stored?.size !== piece.size) {
        await stored?.body.cancel()
        throw await lost(piece)
      }
      yield* released(stored.body)
    } catch (error) {
      if (error instanceof AppError) throw error
      ctx.log.warn({ err: error, key: piece.objectKey }, 'a piece of an upload could not be read')
      throw new AppError('UPLOAD_FAILED')
    }
  }
}

/** Deletes an object of a piece that is not needed. It never throws: the end of the upload deletes all its objects. */
export async function discard(ctx: Context, key: string): Promise<void> {
  try {
    await ctx.storage.delete([key])
  } catch (error) {
    ctx.log.warn({ err: error, key }, 'a piece of an upload is left to cleanup')
  }
}

/**
 * Deletes every object of an upload that no longer needs any, also those that no record names. It never throws: cleanup
 * deletes what is left.
 */
export async function deleteObjectsOf(ctx: Context, sessionId: number): Promise<void> {
  try {
    await ctx.storage.deleteFolder(folderOf(sessionId))
  } catch (error) {
    ctx.log.warn({ err: error, session: sessionId }, 'the pieces of an upload are left to cleanup')
  }
}
