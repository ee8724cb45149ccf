import { and, gt, inArray, sql } from 'drizzle-orm'
import { systemLogs } from '../../db/schema/index.ts'
import { rfc3339 } from '../../db/timestamps.ts'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import {
  linesOf,
  newerFirst,
  type RawLine,
  readLine,
  type StoredChunk,
  type SystemLogLine,
  shortened,
} from './chunks.ts'
import { ALL_LINES } from './list.ts'
import { serverName } from './server-name.ts'

const POLL_MS = 1000
/**
 * Chunks of several servers become visible in another order than that of their times and ids, so each poll looks at the chunks
 * of this time, and reads those that the one before did not see. Lines that are stored later than this are not followed.
 */
const RECENT = gt(systemLogs.at, sql`now() - interval '30 seconds'`)
const MAX_RECENT = 5000
/** Of one poll: what a person can hardly read, and what costs a server little. */
const MAX_LINES = 300
const MAX_CHUNKS = 50
/** In characters. A longer line goes without its fields. */
const MAX_LINE_LENGTH = 16 * 1024
/** Lines that wait for a reader who is slow. */
const MAX_WAITING = 1000

interface Reader {
  /** The oldest first. */
  waiting: SystemLogLine[]
  /** How many lines before those that wait the reader does not get. */
  leftOut: number
  wake: () => void
}

/** Follows the log of all servers as it is stored. While somebody follows, it polls once a second for all readers together. */
export class SystemLogFeed {
  private readonly readers = new Set<Reader>()
  /** The chunks of the last poll. */
  private seen: ReadonlySet<number> = new Set()
  private timer: Timer | undefined
  private polling = false

  constructor(private readonly ctx: Pick<Context, 'config' | 'db' | 'log'>) {}

  /**
   * Call it before `follow`, which yields the lines that are stored from now on.
   * @throws AppError LOG_NOT_STORED
   */
  async begin(): Promise<void> {
    if (this.ctx.config.logKeepDays === 0) throw new AppError('LOG_NOT_STORED')
    if (this.readers.size > 0) return
    const recent = await this.recent()
    // Another reader may have begun meanwhile.
    if (this.readers.size === 0) this.seen = idsOf(recent)
  }

  /**
   * Yields lines, those of one poll in the order of their times. A line with the field `missing` stands where lines are
   * missing. Ends only when its signal is aborted.
   */
  async *follow(signal: AbortSignal): AsyncGenerator<SystemLogLine, void> {
    const reader: Reader = { waiting: [], leftOut: 0, wake: () => {} }
    this.readers.add(reader)
    this.timer ??= setInterval(() => void this.poll(), POLL_MS).unref()
    const stop = () => reader.wake()
    signal.addEventListener('abort', stop)
    try {
      while (!signal.aborted) {
        const [line] = reader.waiting
        if (!line) await new Promise<void>((resolve) => (reader.wake = resolve))
        else if (reader.leftOut > 0) yield lineAboutMissing(reader, line)
        else yield reader.waiting.shift()!
      }
    } finally {
      signal.removeEventListener('abort', stop)
      this.readers.delete(reader)
      if (this.readers.size === 0) this.close()
    }
  }

  close(): void {
    clearInterval(this.timer)
    this.timer = undefined
  }

  private async poll(): Promise<void> {
    if (this.polling) return
    this.polling = true
    try {
      const recent = await this.recent()
      const fresh = recent.filter(({ id }) => !this.seen.has(id))
      if (fresh.length > 0) this.tell(await this.read(fresh))
      this.seen = idsOf(recent)
    } catch (error) {
      // The next poll reads the same again.
      this.ctx.log.debug({ err: error }, 'the log could not be followed')
    } finally {
      this.polling = false
    }
  }

  /** The newest first. */
  private recent(): Promise<Found[]> {
    return this.ctx.db.execute<Found>(sql`
      select id::float8 as id, ${ALL_LINES} as lines from ${systemLogs}
      where ${RECENT} order by at desc, id desc limit ${MAX_RECENT}`)
  }

  /** The newest lines of these chunks, as many as go out at once. */
  private async read(found: Found[]): Promise<{ lines: SystemLogLine[]; leftOut: number }> {
    const ids: number[] = []
    let wanted = 0
    let all = 0
    for (const { id, lines } of found) {
      all += lines
      if (wanted >= MAX_LINES || ids.length >= MAX_CHUNKS) continue
      ids.push(id)
      wanted += lines
    }
    const chunks = await this.ctx.db.execute<StoredChunk>(sql`
      select id::float8 as id, ${rfc3339(systemLogs.at)} as at, server, body from ${systemLogs}
      where ${and(RECENT, inArray(systemLogs.id, ids))}`)
    const raw = chunks
      .flatMap((chunk) => linesOf(chunk))
      .sort(newerFirst)
      .slice(0, MAX_LINES)
    return { lines: raw.reverse().map(readShort), leftOut: all - raw.length }
  }

  private tell({ lines, leftOut }: { lines: SystemLogLine[]; leftOut: number }): void {
    for (const reader of this.readers) {
      reader.waiting.push(...lines)
      const dropped = reader.waiting.splice(0, reader.waiting.length - MAX_WAITING)
      reader.leftOut += leftOut + dropped.length
      reader.wake()
    }
  }
}

interface Found extends Record<string, unknown> {
  id: number
  lines: number
}

const idsOf = (found: Found[]): ReadonlySet<number> => new Set(found.map(({ id }) => id))

const readShort = (line: RawLine): SystemLogLine =>
  readLine(line.text.length > MAX_LINE_LENGTH ? { ...line, text: shortened(line.text) } : line)

/** The line that tells a reader what is missing before `next`. */
function lineAboutMissing(reader: Reader, next: SystemLogLine): SystemLogLine {
  const { leftOut } = reader
  reader.leftOut = 0
  return {
    id: `${next.id}-missing`,
    at: next.at,
    level: 'WARNING',
    server: serverName(),
    message: `${leftOut} lines were left out here`,
    fields: { missing: leftOut },
  }
}
