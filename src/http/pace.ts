import { AppError } from '../core/errors.ts'

/** The least that a client has to send: so many bytes while the server waits for so long. */
export interface Pace {
  bytes: number
  ms: number
}

/** 1 KB/s. A line that stops for some seconds, as in a tunnel, still keeps it. */
export const UPLOAD_PACE: Pace = { bytes: 30 * 1024, ms: 30_000 }

type Chunk = { done: boolean; value?: Uint8Array | undefined }

/**
 * Reads a body chunk by chunk for as long as it keeps the pace. Only time in which the server waits for the client
 * counts; a slow disk does not.
 */
export function paced(next: () => Promise<Chunk>, pace: Pace): () => Promise<Chunk> {
  let waited = 0
  let received = 0
  return async () => {
    const { promise, resolve, reject } = Promise.withResolvers<Chunk>()
    const asked = performance.now()
    const timer = setTimeout(() => reject(new AppError('UPLOAD_TOO_SLOW')), Math.max(0, pace.ms - waited))
    try {
      next().then(resolve, reject)
      const chunk = await promise
      received += chunk.value?.byteLength ?? 0
      waited += performance.now() - asked
      if (received >= pace.bytes) waited = received = 0
      return chunk
    } finally {
      clearTimeout(timer)
    }
  }
}
