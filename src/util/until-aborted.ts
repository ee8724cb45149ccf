/** For work that ends in order when nothing keeps it waiting. */
const MOMENT_MS = 1000

/**
 * The result of work that ends by itself after the signal is aborted, unless something keeps it waiting.
 * @throws signal.reason when it has not ended a moment later
 */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  let timer: ReturnType<typeof setTimeout> | undefined
  const abort = () => {
    timer = setTimeout(() => reject(signal.reason), MOMENT_MS)
  }
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work, late])
  } finally {
    signal.removeEventListener('abort', abort)
    clearTimeout(timer)
  }
}
