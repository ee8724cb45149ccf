import pino from 'pino'

export type Logger = pino.Logger

/** Lines are collected for this long, because a write for each request, even an asynchronous one, is expensive. */
const FLUSH_MS = 100
/**
 * In characters. Each write wakes a thread: with 4 KB the writes cost more CPU than the lines. A pipe holds 64 KB, so that it
 * usually takes a whole write at once.
 */
const FLUSH_LENGTH = 16 * 1024
/** In characters. While nobody reads the standard output, later lines are lost. */
const MAX_WAITING = 8 * 1024 * 1024

/**
 * A logger of JSON lines on standard output, or to `destination`. Never pass it a header map, a body or a URL with its
 * query.
 */
export function createLogger(
  level: pino.LevelWithSilent,
  destination: pino.DestinationStream = buffered(),
): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: describe },
  }
  return pino(options, destination)
}

/** A logger for the reader of standard output: coloured lines for people at a terminal, JSON lines for programs. */
export async function openLogger(level: pino.LevelWithSilent): Promise<Logger> {
  if (!process.stdout.isTTY) return createLogger(level)
  // Imported where it is needed: it takes a tenth of a second.
  const { default: pretty } = await import('pino-pretty')
  return createLogger(level, pretty({ translateTime: 'SYS:HH:MM:ss', sync: true }))
}

/**
 * Also flushed on exit. The timer runs only while lines wait, so that an idle server does not wake up. The lines are collected
 * here, because pino's destination measures all waiting lines again for each new one.
 */
function buffered(): ReturnType<typeof pino.destination> {
  const destination = pino.destination({ fd: 1, sync: false, maxLength: MAX_WAITING })
  const write = destination.write.bind(destination)
  const flushSync = destination.flushSync.bind(destination)
  let lines: string[] = []
  let length = 0
  let timer: Timer | undefined
  const pass = () => {
    clearTimeout(timer)
    timer = undefined
    if (length > 0) write(lines.join(''))
    lines = []
    length = 0
  }
  destination.write = (line) => {
    lines.push(line)
    length += line.length
    if (length >= FLUSH_LENGTH) pass()
    else timer ??= setTimeout(pass, FLUSH_MS)
    return true
  }
  // Pino calls this on exit and after a fatal line.
  destination.flushSync = () => {
    pass()
    flushSync()
  }
  return destination
}

/** Drizzle's message carries the query's parameters, which may be somebody's password hash: only the cause is kept. */
export const withoutQuery = (error: unknown): unknown =>
  error instanceof Error && error.cause && 'query' in error && 'params' in error ? error.cause : error

/** Without the row values that PostgreSQL repeats in its messages. */
function describe(error: unknown): unknown {
  const kept = withoutQuery(error)
  if (!(kept instanceof Error)) return kept
  const { detail: _, where: __, ...description } = pino.stdSerializers.err(kept)
  return description
}
