import pino from 'pino'
import type { LogLevel } from '../config.ts'

export type Logger = pino.Logger

/** JSON lines on standard output. Never pass it a header map, a body or a URL with its query. */
export function createLogger(level: LogLevel): Logger {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    // Buffered: a write per request, even an asynchronous one, costs a good part of a request. Flushed on exit.
    pino.destination({ fd: 1, sync: false, minLength: 4096, periodicFlush: 100 }),
  )
}
