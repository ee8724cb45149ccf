/** Runs one task at a time, in the order of the calls. */
export type Turn = <T>(task: () => Promise<T>, signal?: AbortSignal) => Promise<T>

/** @returns a function that rejects with the signal's reason when the signal is aborted while the task waits */
export function inTurn(): Turn {
  let last: Promise<unknown> = Promise.resolve()
  return async (task, signal) => {
    const before = last
    const { promise, resolve } = Promise.withResolvers<void>()
    last = promise
    try {
      await (signal ? unlessAborted(before, signal) : before)
      return await task()
    } finally {
      // A task that stops waiting does not let the next one overtake the one that runs.
      before.then(() => resolve())
    }
  }
}

async function unlessAborted(before: Promise<unknown>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    await Promise.race([before, promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
