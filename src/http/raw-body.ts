import { AppError } from '../core/errors.ts'
import { released } from '../util/released.ts'
import { type Pace, paced, UPLOAD_PACE } from './pace.ts'

/** The Content-Length of a request; undefined when the client does not know the length. */
export function lengthOf(request: Request): number | undefined {
  const length = request.headers.get('content-length')
  if (length !== null) return Number(length)
  return request.headers.has('transfer-encoding') ? undefined : 0
}

/**
 * Reads a body that is no form: `use` gets its bytes as they arrive.
 * @param pace the slowest pace at which the client may send
 * @throws AppError UPLOAD_TOO_SLOW, CLIENT_CLOSED, or what `use` threw
 */
export async function readRaw<T>(
  request: Request,
  use: (body: AsyncIterable<Uint8Array>) => Promise<T>,
  pace: Pace = UPLOAD_PACE,
): Promise<T> {
  const reader = request.body?.getReader()
  try {
    return await use(released(chunksOf(request, reader, pace)))
  } finally {
    // After an error, the rest of the body is not read.
    reader?.cancel().catch(() => {})
  }
}

async function* chunksOf(
  request: Request,
  reader: { read(): Promise<{ done: boolean; value?: Uint8Array }> } | undefined,
  pace: Pace,
): AsyncGenerator<Uint8Array> {
  if (!reader) return
  const broken = () => new AppError('CLIENT_CLOSED')
  const next = paced(
    () =>
      reader.read().catch(() => {
        throw broken()
      }),
    pace,
  )
  const length = lengthOf(request)
  let received = 0
  for (;;) {
    const { done, value } = await next()
    if (done) break
    received += value!.byteLength
    yield value!
  }
  // When a client disconnects, Bun ends the body as if it were complete.
  if (request.signal.aborted || (length !== undefined && received < length)) throw broken()
}
