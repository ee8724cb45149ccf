import { AppError } from '../core/errors.ts'
import { waitAtMost } from '../util/wait-at-most.ts'

/** The slowest pace that is allowed: `bytes` in every `ms` for which the server waits for the client. */
export interface Pace {
  bytes: number
  ms: number
}

/** 1 KB/s over 30 seconds, so that a connection may pause for some seconds, as a phone's does in a tunnel. */
export const UPLOAD_PACE: Pace = { bytes: 30 * 1024, ms: 30_000 }

type Chunk = { done: boolean; value?: Uint8Array | undefined }

/**
 * Reads a body chunk by chunk. Only the time in which the server waits for the client counts, so a slow disk does not make
 * an upload too slow.
 * @throws AppError UPLOAD_TOO_SLOW when the client is slower than the pace
 */
export function paced(next: () => Promise<Chunk>, pace: Pace): () => Promise<Chunk> {
  let waited = 0
  let received = 0
  return async () => {
    const asked = performance.now()
    const chunk = await waitAtMost(Math.max(0, pace.ms - waited), next())
    if (!chunk) throw new AppError('UPLOAD_TOO_SLOW')
    received += chunk.value?.byteLength ?? 0
    waited += performance.now() - asked
    if (received >= pace.bytes) waited = received = 0
    return chunk
  }
}
