/** @returns a function that runs tasks in the order of the calls, and at most `limit` of them at once */
export function atMost(limit: number): <T>(task: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let free = limit
  return async (task) => {
    if (free > 0) free--
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await task()
    } finally {
      // The next task takes the place of this one.
      const next = waiting.shift()
      if (next) next()
      else free++
    }
  }
}
