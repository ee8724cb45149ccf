import type { Context } from '../../../core/context.ts'
import {
  type ChunkedSession,
  type ChunkedSizes,
  type ChunksState,
  chunksOf,
} from '../../../core/files/chunks.ts'
import { originOf } from '../../../http/origin.ts'
import { presentChunkedId, presentFileId } from '../ids.ts'
import type { ChunkedState, ChunkedUpload, StoredChunk } from './chunked-models.ts'

export function presentChunkedUpload(
  ctx: Context,
  request: Request,
  session: ChunkedSession,
  expiresAt: Date,
): ChunkedUpload {
  const url = `${originOf(ctx, request)}/v1/upload/chunked/${presentChunkedId(session.id)}`
  const total = chunksOf(session)
  return {
    upload_id: presentChunkedId(session.id),
    chunk_size: session.chunkSize,
    total_chunks: total,
    upload_urls: Array.from({ length: total }, (_, index) => `${url}/chunks/${index}`),
    complete_url: `${url}/complete`,
    expires_at: expiresAt.toISOString(),
  }
}

export function presentStoredChunk(session: ChunkedSizes, index: number, received: number): StoredChunk {
  const total = chunksOf(session)
  return {
    upload_id: presentChunkedId(session.id),
    chunk_index: index,
    received_chunks: received,
    total_chunks: total,
    remaining_chunks: total - received,
  }
}

const STATUS = { open: 'uploading', completing: 'completing', completed: 'completed' } as const

export const presentChunkedState = (
  session: ChunkedSession,
  { receivedChunks, received, missing }: ChunksState,
  expiresAt: Date,
): ChunkedState => ({
  upload_id: presentChunkedId(session.id),
  filename: session.fileName,
  status: STATUS[session.status],
  file_size: session.fileSize,
  chunk_size: session.chunkSize,
  total_chunks: chunksOf(session),
  received_chunks: receivedChunks,
  received_bytes: received,
  missing_chunks: missing,
  file_id: session.fileId === null ? null : presentFileId(session.fileId),
  expires_at: expiresAt.toISOString(),
})
