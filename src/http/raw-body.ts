import { AppError } from '../core/errors.ts'
import { released } from '../util/released.ts'
import { bodyReader } from './body-reader.ts'
import { type Pace, UPLOAD_PACE } from './pace.ts'

/** The Content-Length of a request; undefined when the client does not know the length. */
export function lengthOf(request: Request): number | undefined {
  const length = request.headers.get('content-length')
  if (length !== null) return Number(length)
  return request.headers.has('transfer-encoding') ? undefined : 0
}

/**
 * Reads a body that is no form: `use` gets its bytes as they arrive.
 * @param pace the slowest pace at which the client may send
 * @throws AppError UPLOAD_TOO_SLOW, CLIENT_CLOSED, what `mayGoOn` throws, or what `use` threw
 */
export async function readRaw<T>(
  request: Request,
  use: (body: AsyncIterable<Uint8Array>) => Promise<T>,
  pace: Pace = UPLOAD_PACE,
): Promise<T> {
  const reader = request.body ? bodyReader(request, request.body, pace) : undefined
  try {
    return await use(released(chunksOf(request, reader)))
  } finally {
    // After an error, the rest of the body is not read.
    reader?.cancel()
  }
}

async function* chunksOf(
  request: Request,
  reader: ReturnType<typeof bodyReader> | undefined,
): AsyncGenerator<Uint8Array> {
  if (!reader) return
  const length = lengthOf(request)
  let received = 0
  for (;;) {
    const { done, value } = await reader.next()
    if (done) break
    received += value!.byteLength
    yield value!
  }
  // When a client disconnects, Bun ends the body as if it were complete.
  if (request.signal.aborted || (length !== undefined && received < length))
    throw new AppError('CLIENT_CLOSED')
}
