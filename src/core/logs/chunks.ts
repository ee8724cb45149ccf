/** The rows of the system log. Each holds the lines of one server in one second. */
import { cutText } from '../../util/cut.ts'
import { LEVEL_NAMES, type Level, levelIndex } from './levels.ts'

/** In characters, of all lines of a chunk. Whoever reads one line decompresses the whole chunk. */
const MAX_LENGTH = 128 * 1024
/** In characters. A longer line is stored without its fields. */
const MAX_LINE_LENGTH = 64 * 1024
const KEPT_MESSAGE = 1000

/** Lines that are stored together. */
export class Chunk {
  readonly lines: string[] = []
  /** In characters. */
  length = 0
  /** Of the newest line; RFC 3339. */
  at: string
  /** How many lines of each level, as in `LEVEL_NAMES`. */
  readonly counts = [0, 0, 0, 0, 0]
  /** The lines of a chunk have this second of theirs in common. A wall clock that is set back begins another chunk. */
  private readonly second: string

  constructor(time: string) {
    this.at = time
    this.second = secondOf(time)
  }

  /** @returns false when the line belongs into another chunk */
  add(text: string, level: number, time: string): boolean {
    const line = text.length > MAX_LINE_LENGTH ? shortened(text) : text
    if (this.length > 0 && this.length + line.length > MAX_LENGTH) return false
    if (!time.startsWith(this.second)) return false
    this.lines.push(line)
    this.length += line.length
    this.counts[levelIndex(level)]!++
    if (time > this.at) this.at = time
    return true
  }

  compress(): Promise<Uint8Array> {
    return Bun.zstdCompress(this.lines.join(''), { level: 1 })
  }
}

/** `2026-11-29T06:00:00` */
export const secondOf = (time: string): string => time.slice(0, 19)

/** The line without its fields. */
export function shortened(text: string): string {
  const { level, time, id, msg } = JSON.parse(text)
  return `${JSON.stringify({ level, time, id, omitted: text.length, msg: cutText(String(msg ?? ''), KEPT_MESSAGE, '…') })}\n`
}

/** A row as the database has it. */
export interface StoredChunk extends Record<string, unknown> {
  id: number
  /** RFC 3339. */
  at: string
  server: string
  body: Uint8Array
}

/** A line that is not parsed yet. */
export interface RawLine {
  chunk: StoredChunk
  /** Its place in the chunk. */
  n: number
  /** RFC 3339. */
  at: string
  text: string
}

export interface SystemLogLine {
  /** Differs between any two lines. */
  id: string
  /** RFC 3339. */
  at: string
  level: Level
  server: string
  message: string
  /** The other fields of the line. */
  fields: Record<string, unknown>
}

const START = /^\{"level":(\d+),"time":"([^"]+)"/

/**
 * The lines of a chunk, oldest first.
 * @param searched a text in lower case, as JSON; only lines with it, in any case
 */
export function linesOf(chunk: StoredChunk, level?: Level, searched?: string): RawLine[] {
  const body = new TextDecoder().decode(Bun.zstdDecompressSync(chunk.body))
  // Most chunks have no such line, and one look at the whole text tells so.
  if (searched !== undefined && !body.toLowerCase().includes(searched)) return []
  return body.split('\n').flatMap((text, n) => {
    const start = START.exec(text)
    if (!start) return []
    if (level !== undefined && LEVEL_NAMES[levelIndex(Number(start[1]))] !== level) return []
    if (searched !== undefined && !text.toLowerCase().includes(searched)) return []
    return { chunk, n, at: start[2]!, text }
  })
}

export const newerFirst = (a: RawLine, b: RawLine): number =>
  a.at === b.at ? b.chunk.id - a.chunk.id || b.n - a.n : a.at < b.at ? 1 : -1

export function readLine({ chunk, n, at, text }: RawLine): SystemLogLine {
  const { level, time: _, msg = '', ...fields } = JSON.parse(text)
  const { id, server } = chunk
  return {
    id: `${id}-${n}`,
    at,
    level: LEVEL_NAMES[levelIndex(level)]!,
    server,
    message: String(msg),
    fields,
  }
}
