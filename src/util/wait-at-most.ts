/**
 * Waits for a promise, but not for longer than `ms`. Its timer ends with it, so that it does not keep the process alive.
 * @returns undefined when the time has passed first
 */
export async function waitAtMost<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => resolve(undefined), ms)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
