/**
 * Calls `make` with each value, for `limit` values at once. The results come in the order of the values.
 * @throws what a call throws, when its result is due and no call runs any more
 */
export async function* inOrder<T, R>(
  values: AsyncIterable<T>,
  limit: number,
  make: (value: T) => Promise<R>,
): AsyncGenerator<R> {
  const running: Promise<R>[] = []
  try {
    for await (const value of values) {
      const made = make(value)
      // Until its turn, nobody waits for it.
      made.catch(() => {})
      running.push(made)
      if (running.length === limit) yield await running.shift()!
    }
    while (running.length > 0) yield await running.shift()!
  } finally {
    await Promise.allSettled(running)
  }
}
