/** How long a connection may be silent before Bun closes it. */
export const IDLE_SECONDS = 60

/** The part of Bun's server that `neverIdle` uses. */
interface Connections {
  timeout(request: Request, seconds: number): void
}

/**
 * Runs `read` without the idle limit of the connection; `read` has a limit of its own. Bun would close the connection of a
 * slow upload, because it counts a body as activity only once per megabyte or so, and that of an answer that takes long.
 */
export async function neverIdle<T>(
  server: Connections | null,
  request: Request,
  read: () => Promise<T>,
): Promise<T> {
  server?.timeout(request, 0)
  try {
    return await read()
  } finally {
    // Bun keeps the limit for the connection, which may carry further requests.
    server?.timeout(request, IDLE_SECONDS)
  }
}
