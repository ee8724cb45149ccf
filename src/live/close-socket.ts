import type { ServerWebSocket } from 'bun'

const GRACE_MS = 5000
const CHECK_MS = 100

/**
 * Closes a socket with a close frame. The frame follows what has been sent already, so a socket whose other end has not
 * read that after `graceMs` ends without the frame.
 */
export function closeSocket(
  ws: ServerWebSocket<unknown>,
  code: number,
  reason: string,
  graceMs = GRACE_MS,
): void {
  if (ws.getBufferedAmount() === 0) return void ws.close(code, reason)
  const deadline = performance.now() + graceMs
  // `close` comes last, because Bun can't terminate a socket that it has closed: its buffers would stay for two minutes.
  const timer = setInterval(() => {
    const waits = ws.getBufferedAmount() > 0
    if (waits && performance.now() < deadline) return
    clearInterval(timer)
    if (waits) ws.terminate()
    else ws.close(code, reason)
  }, CHECK_MS)
  timer.unref()
}
