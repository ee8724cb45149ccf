/** Repeats a request until it succeeds or fails for good. */
import { RoostError } from '../../../client/index.ts'
import { status } from './session.ts'

const UNREACHABLE = 0
/** After these another try may succeed. */
const PASSING = [UNREACHABLE, 408, 429, 502, 503, 504]
const LONGEST_SECONDS = 30

interface Options {
  signal: AbortSignal
  /** Called before each wait. */
  onWait: (error: RoostError, seconds: number) => void
}

/**
 * Waits after a failure that may pass: for as long as the server says, otherwise longer each time. After a lost connection it
 * tries again as soon as the live channel is back.
 */
export async function untilDone<T>(attempt: () => Promise<T>, { signal, onWait }: Options): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof RoostError) || !PASSING.includes(error.status)) throw error
      const seconds = error.retryAfter ?? Math.min(LONGEST_SECONDS, 2 ** tries)
      onWait(error, seconds)
      await pause(seconds * 1000, signal, error.status === UNREACHABLE)
    }
  }
}

function pause(ms: number, signal: AbortSignal, endsWhenLive: boolean): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort)
  let before = status.peek()
  const stop = status.subscribe((now) => {
    if (endsWhenLive && now === 'live' && before !== 'live') resolve()
    before = now
  })
  return promise.finally(() => {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
    stop()
  })
}
