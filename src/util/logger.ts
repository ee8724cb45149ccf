import pino from 'pino'
import { CopiedLines, type TakeLine } from './copied-lines.ts'
import { waitAtMost } from './wait-at-most.ts'
import { withoutQuery } from './without-query.ts'

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
  return pino(options, new CopiedLines(destination))
}

/**
 * Gives every line to `take` too, as soon as it has been written: first the lines that came before this call, as far as they
 * are kept.
 * @returns ends it
 */
export const copyLines = (log: Logger, take: TakeLine): (() => void) =>
  destinationOf(log)?.copyTo(take) ?? (() => {})

/** Whatever `write` logs goes to the standard output alone. For whoever takes the lines, so that its own lines do not come back. */
export function withoutCopies(log: Logger, write: (log: Logger) => void): void {
  const destination = destinationOf(log)
  if (destination) destination.withoutCopies(() => write(log))
  else write(log)
}

/** Undefined for a logger that `createLogger` has not made. */
function destinationOf(log: Logger): CopiedLines | undefined {
  const destination = (log as unknown as Record<symbol, unknown>)[pino.symbols.streamSym]
  return destination instanceof CopiedLines ? destination : undefined
}

/** A logger for the reader of standard output: coloured lines for people at a terminal, JSON lines for programs. */
export async function openLogger(level: pino.LevelWithSilent): Promise<Logger> {
  if (!process.stdout.isTTY) return createLogger(level)
  // Imported where it is needed: it takes a tenth of a second.
  const { default: pretty } = await import('pino-pretty')
  return createLogger(level, pretty({ translateTime: 'SYS:HH:MM:ss', sync: true }))
}

/** How long a stop waits for a reader of the standard output. */
const LAST_FLUSH_MS = 1000

/**
 * Resolves when all lines are written, or nobody reads them. Call it before `process.exit`, which loses the lines that
 * another thread is writing.
 */
export async function flushLog(log: Logger): Promise<void> {
  await waitAtMost(LAST_FLUSH_MS, new Promise<void>((resolve) => log.flush(() => resolve())))
}

/**
 * Lines that no write has taken are also written on exit. The timer runs only while lines wait, so that an idle server does
 * not wake up. The lines are collected here, because pino's destination measures all waiting lines again for each new one.
 */
function buffered(): ReturnType<typeof pino.destination> {
  const options = { fd: 1, sync: false, minLength: 1, maxLength: MAX_WAITING }
  const destination = pino.destination(options) as ReturnType<typeof pino.destination> & { minLength: number }
  const write = destination.write.bind(destination)
  const flush = destination.flush.bind(destination)
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
  destination.flush = (done) => {
    pass()
    flush(done)
  }
  // Pino calls this on exit and after a fatal line. No other thread may begin a write, because an exit would not wait for it.
  destination.flushSync = () => {
    destination.minLength = Number.MAX_SAFE_INTEGER
    pass()
    flushSync()
    destination.minLength = 1
  }
  return destination
}

/** Without the row values that PostgreSQL repeats in its messages. */
function describe(error: unknown): unknown {
  const kept = withoutQuery(error)
  if (!(kept instanceof Error)) return kept
  const { detail: _, where: __, ...description } = pino.stdSerializers.err(kept)
  return description
}
