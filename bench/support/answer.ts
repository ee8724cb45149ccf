/** A program that answers the calls of its parent process, several at a time too, and ends with the parent. */
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
