import { AppError } from '../core/errors.ts'
import { whileMayGoOn } from './authenticate.ts'
import { type Pace, paced } from './pace.ts'

/**
 * Reads the body of an upload chunk by chunk, as long as its user may send it.
 * @throws AppError UPLOAD_TOO_SLOW, CLIENT_CLOSED, and as `mayGoOn`
 */
export function bodyReader(request: Request, body: ReadableStream<Uint8Array>, pace: Pace) {
  const reader = body.getReader()
  const read = paced(
    () =>
      reader.read().catch(() => {
        throw new AppError('CLIENT_CLOSED')
      }),
    pace,
  )
  return {
    next: () => whileMayGoOn(request, read()),
    /** Leaves the rest of the body unread. */
    cancel() {
      reader.cancel().catch(() => {})
    },
  }
}
