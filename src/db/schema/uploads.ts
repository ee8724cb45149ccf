import { sql } from 'drizzle-orm'
import { bigint, check, index, integer, pgTable, primaryKey, serial, text } from 'drizzle-orm/pg-core'
import { users } from './accounts.ts'
import { instant } from './columns.ts'

/** Uploads that arrive in several requests: docs/contracts/portfolio.md, "Chunked uploads". */
export const uploadSessions = pgTable(
  'upload_sessions',
  {
    id: serial('id').primaryKey(),
    userId: integer('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** `chunked`: numbered chunks in any order. `resumable`: bytes in order, by the IETF draft. */
    protocol: text('protocol', { enum: ['chunked', 'resumable'] }).notNull(),
    /** `completing` while one request puts the pieces together. */
    status: text('status', { enum: ['open', 'completing', 'completed'] })
      .notNull()
      .default('open'),
    fileName: text('file_name').notNull(),
    /** As the client says; the content decides. */
    mimeType: text('mime_type').notNull().default(''),
    /** Null while a resumable upload has not named it. */
    fileSize: bigint('file_size', { mode: 'number' }),
    /** Null for a resumable upload. */
    chunkSize: integer('chunk_size'),
    /** SHA-256 of the whole file in lower-case hexadecimal, if the client named it. */
    sha256: text('sha256'),
    /** Bytes of all stored pieces. The next piece of a resumable upload begins there. */
    received: bigint('received', { mode: 'number' }).notNull().default(0),
    /** Names the request that may append to a resumable upload. */
    appender: text('appender'),
    /** Names the request that puts the pieces together. */
    completer: text('completer'),
    /** When that request last showed that it is alive. */
    completingAt: instant('completing_at'),
    /** The photo file that the completed upload became. */
    fileId: integer('file_id'),
    createdAt: instant('created_at').notNull().defaultNow(),
    /** Of a chunked upload: without its pieces, each of which has a time of its own. */
    updatedAt: instant('updated_at').notNull().defaultNow(),
  },
  (t) => [
    index('upload_sessions_user_idx').on(t.userId, t.status),
    index('upload_sessions_updated_idx').on(t.updatedAt),
    check(
      'upload_sessions_sizes_check',
      sql`${t.protocol} <> 'chunked' or (${t.fileSize} is not null and ${t.chunkSize} is not null)`,
    ),
  ],
)

/** A part of an upload whose bytes are stored. */
export const uploadPieces = pgTable(
  'upload_pieces',
  {
    sessionId: integer('session_id')
      .notNull()
      .references(() => uploadSessions.id, { onDelete: 'cascade' }),
    /** Where the piece begins in the file, in bytes. */
    start: bigint('start', { mode: 'number' }).notNull(),
    size: integer('size').notNull(),
    objectKey: text('object_key').notNull(),
    storedAt: instant('stored_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.sessionId, t.start] })],
)
