/** A program that does what its parent asks, one call after the other or several at once, and ends with it. */
export function answer<H extends Record<string, (...args: never[]) => unknown>>(handlers: H): H {
  process.on('message', async ({ id, name, args }: { id: number; name: string; args: never[] }) => {
    try {
      process.send!({ id, result: await handlers[name]!(...args) })
    } catch (error) {
      process.send!({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  })
  process.on('disconnect', () => process.exit(0))
  return handlers
}
