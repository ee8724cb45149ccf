import { type Static, t } from 'elysia'
import { choice } from '../../../http/choice.ts'
import { integerText } from '../../../http/integer-text.ts'
import { nullable, optional, Timestamp, wholeNumber } from '../../../http/models.ts'
import { named } from '../../../http/openapi/schemas.ts'
import { ChunkedId } from '../ids.ts'
import { UploadedFile } from './models.ts'

const MB = 1024 * 1024
const Sha256 = t.String({ pattern: '^[0-9a-fA-F]{64}$' })

export const ChunkedParams = t.Object({ upload_id: ChunkedId })
export const ChunkParams = t.Object({
  upload_id: ChunkedId,
  chunk_index: integerText({ minimum: 0, maximum: 2_147_483_647 }),
})

export const NewChunkedUpload = t.Object({
  filename: t.String({ minLength: 1, maxLength: 255 }),
  /** Bytes. */
  file_size: wholeNumber({ minimum: 1 }),
  mime_type: optional(t.String({ maxLength: 255 })),
  /** Bytes. */
  chunk_size: wholeNumber({ minimum: 1024, maximum: 16 * MB, default: MB }),
  /** Of the whole file, in hexadecimal. */
  sha256: optional(Sha256),
  /** The same under another name. */
  checksum: optional(Sha256),
})

export const ChunkedUpload = t.Object({
  upload_id: t.String(),
  /** Bytes. */
  chunk_size: t.Integer(),
  total_chunks: t.Integer(),
  /** One for each chunk, in order. */
  upload_urls: t.Array(t.String()),
  complete_url: t.String(),
  expires_at: Timestamp,
})
export type ChunkedUpload = Static<typeof ChunkedUpload>

export const StoredChunk = t.Object({
  upload_id: t.String(),
  chunk_index: t.Integer(),
  received_chunks: t.Integer(),
  total_chunks: t.Integer(),
  remaining_chunks: t.Integer(),
})
export type StoredChunk = Static<typeof StoredChunk>

export const ChunkedState = t.Object({
  upload_id: t.String(),
  filename: t.String(),
  status: choice(['uploading', 'completing', 'completed']),
  /** Bytes. */
  file_size: t.Integer(),
  chunk_size: t.Integer(),
  total_chunks: t.Integer(),
  received_chunks: t.Integer(),
  received_bytes: t.Integer(),
  /** The numbers of the chunks that have not arrived, from 0 on. */
  missing_chunks: t.Array(t.Integer()),
  /** Null until the upload is complete. */
  file_id: nullable(t.String()),
  expires_at: Timestamp,
})
export type ChunkedState = Static<typeof ChunkedState>

/** What a client may say at the end. A digest must be that of the beginning, if there was one. */
export const Completion = t.Optional(t.Object({ sha256: optional(Sha256), checksum: optional(Sha256) }))

export const CompletedUpload = t.Composite([t.Object({ upload_id: t.String() }), UploadedFile])

named({ NewChunkedUpload, ChunkedUpload, StoredChunk, ChunkedState, CompletedUpload })
