/** A connection on which nothing happens for so long is closed. */
export const IDLE_SECONDS = 60

/** The part of Bun's server that matters here. */
interface Connections {
  timeout(request: Request, seconds: number): void
}

/**
 * Runs `read`, which watches by itself whether its request goes on. Bun would close the connection of one that is slow:
 * it sees a body go on only with every megabyte or so.
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
    // It counts for the connection and not for the request alone.
    server?.timeout(request, IDLE_SECONDS)
  }
}
