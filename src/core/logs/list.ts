import { and, gte, lt, type SQL, sql } from 'drizzle-orm'
import { MAX_COUNTED } from '../../db/bounded-list.ts'
import type { Db } from '../../db/client.ts'
import { hasOtherLines, systemLogs } from '../../db/schema/index.ts'
import { rfc3339, startOfDay } from '../../db/timestamps.ts'
import type { Context } from '../context.ts'
import {
  linesOf,
  newerFirst,
  type RawLine,
  readLine,
  type StoredChunk,
  type SystemLogLine,
  secondOf,
} from './chunks.ts'
import type { Level } from './levels.ts'

export interface SystemLogFilter {
  level?: Level | undefined
  /** YYYY-MM-DD, in UTC, both inclusive. */
  from?: string | undefined
  to?: string | undefined
  /** A part of the message or of the value of a field, in any case. */
  search?: string | undefined
}

export interface SystemLogPage {
  lines: SystemLogLine[]
  /** Counts no further than {@link MAX_COUNTED}. */
  total: number
  /** The search has looked at the lines since this time and not at older ones (RFC 3339); null: at all of them. */
  searchedFrom: string | null
}

/** A search reads the lines themselves, because no index would be worth what it costs each line. */
const SEARCH_MS = 3000

/** The first page begins here. */
const TOP = { second: undefined, newer: 0 }

/** A page of the log of all servers, the newest lines first. */
export async function listSystemLog(
  { db }: Pick<Context, 'db'>,
  filter: SystemLogFilter,
  { page, pageSize }: { page: number; pageSize: number },
): Promise<SystemLogPage> {
  const isSearch = filter.search !== undefined
  const from = (page - 1) * pageSize
  const end = Math.min(from + pageSize, MAX_COUNTED)
  const until = performance.now() + SEARCH_MS
  const lines: SystemLogLine[] = []
  const { second, newer } = isSearch || from === 0 ? TOP : await startOf(db, filter, from)
  let found = newer
  let searchedFrom: string | null = null
  for await (const { raw, at } of newestFirst(db, { ...filter, second })) {
    for (const line of raw) {
      if (found >= from && found < end) lines.push(readLine(line))
      found++
    }
    if (found >= (isSearch ? MAX_COUNTED : end)) break
    if (isSearch && at !== undefined && performance.now() > until) {
      searchedFrom = at
      break
    }
  }
  // Counted last, because lines come meanwhile.
  const total = isSearch ? Math.min(found, MAX_COUNTED) : await count(db, filter)
  return { lines, total, searchedFrom }
}

/** How many chunks a query reads: few for one page of lines, more when the reader goes on. A chunk has up to 128 KB of text. */
const FIRST_CHUNKS = 20
const MOST_CHUNKS = 100
/** After so many chunks the event loop runs other work. */
const AT_ONCE = 10

/**
 * The lines that fit, the newest first, in pieces.
 * @yields with `at`, the time since which it has looked at all lines; undefined at the end
 */
async function* newestFirst(
  db: Db,
  filter: Period,
): AsyncGenerator<{ raw: RawLine[]; at: string | undefined }> {
  const text = filter.search?.toLowerCase()
  const searched = text && asJson(text)
  const fits = (chunk: StoredChunk) => {
    const lines = linesOf(chunk, filter.level, searched)
    if (text === undefined) return lines
    return lines.filter((line) => {
      const { message, fields } = readLine(line)
      return holds([message, fields], text)
    })
  }
  const waiting: RawLine[] = []
  for await (const { chunks, next } of chunksOf(db, filter, 'desc')) {
    for (const chunk of chunks) waiting.push(...fits(chunk))
    waiting.sort(newerFirst)
    // Chunks of several servers overlap. Those that are not read yet may have lines up to the time of the last one.
    const known = next ? waiting.findIndex((line) => line.at <= next.at) : -1
    yield { raw: waiting.splice(0, known === -1 ? waiting.length : known), at: next?.at }
  }
}

/** The lines of a day (YYYY-MM-DD, in UTC), the oldest first, in pieces. */
export async function* linesOfDay({ db }: Pick<Context, 'db'>, day: string): AsyncGenerator<SystemLogLine[]> {
  const waiting: RawLine[] = []
  for await (const { chunks, next } of chunksOf(db, { from: day, to: day }, 'asc')) {
    for (const chunk of chunks) waiting.push(...linesOf(chunk))
    waiting.sort((a, b) => newerFirst(b, a))
    // Chunks that are not read yet have no lines before the second of the last one.
    const known = next ? waiting.findIndex((line) => line.at >= secondOf(next.at)) : -1
    yield waiting.splice(0, known === -1 ? waiting.length : known).map(readLine)
  }
}

/** As the text stands in a line. */
const asJson = (text: string): string => JSON.stringify(text).slice(1, -1).toLowerCase()

/** Whether a message or the value of a field, and not only the name of one, has the text. */
function holds(value: unknown, text: string): boolean {
  if (typeof value !== 'object' || value === null) return String(value).toLowerCase().includes(text)
  return Object.values(value).some((part) => holds(part, text))
}

/**
 * The chunks in the order of their times, in pieces.
 * @yields with `next`, the chunk behind which the next piece begins; undefined when there is none
 */
async function* chunksOf(
  db: Db,
  filter: Period,
  order: 'asc' | 'desc',
): AsyncGenerator<{ chunks: StoredChunk[]; next: StoredChunk | undefined }> {
  const direction = sql.raw(order)
  const beyond = sql.raw(order === 'asc' ? '>' : '<')
  let last: StoredChunk | undefined
  for (let limit = FIRST_CHUNKS; ; limit = Math.min(limit * 2, MOST_CHUNKS)) {
    const rest = last && sql`(at, id) ${beyond} (${last.at}::text::timestamptz, ${last.id}::bigint)`
    const read = await db.execute<StoredChunk>(sql`
      select id::float8 as id, ${rfc3339(systemLogs.at)} as at, server, body from ${systemLogs}
      where ${and(conditionOf(filter), rest) ?? sql`true`}
      order by at ${direction}, id ${direction} limit ${limit}`)
    last = read.at(-1)
    const isLast = read.length < limit
    for (let n = 0; n === 0 || n < read.length; n += AT_ONCE) {
      const chunks = read.slice(n, n + AT_ONCE)
      yield { chunks, next: isLast && n + AT_ONCE >= read.length ? undefined : chunks.at(-1) }
      await new Promise(setImmediate)
    }
    if (isLast) return
  }
}

const COLUMN = {
  DEBUG: sql`debug_lines`,
  INFO: sql`info_lines`,
  WARNING: sql`warning_lines`,
  ERROR: sql`error_lines`,
  CRITICAL: sql`critical_lines`,
} satisfies Record<Level, SQL>

interface Period extends SystemLogFilter {
  /** The newest second; RFC 3339. */
  second?: string | undefined
}

function conditionOf({ level, from, to, second }: Period): SQL | undefined {
  return and(
    second === undefined
      ? undefined
      : lt(systemLogs.at, sql`${second}::text::timestamptz + interval '1 second'`),
    from === undefined ? undefined : gte(systemLogs.at, startOfDay(from)),
    to === undefined ? undefined : lt(systemLogs.at, sql`${startOfDay(to)} + interval '24 hours'`),
    level && sql`${COLUMN[level]} > 0`,
    level && level !== 'INFO' ? hasOtherLines : undefined,
  )
}

export const ALL_LINES = sql`debug_lines + info_lines + warning_lines + error_lines + critical_lines`

/** The newest chunks that fit, each with how many of its lines fit: no more chunks than lines are counted. */
const counted = (filter: SystemLogFilter) => sql`(
  select at, ${filter.level ? COLUMN[filter.level] : ALL_LINES} as n from ${systemLogs}
  where ${conditionOf(filter) ?? sql`true`} order by at desc, id desc limit ${MAX_COUNTED}) counted`

/** How many lines fit. */
async function count(db: Db, filter: SystemLogFilter): Promise<number> {
  const [row] = await db.execute<{ n: number }>(
    sql`select least(coalesce(sum(n), 0), ${MAX_COUNTED})::int as n from ${counted(filter)}`,
  )
  return row!.n
}

/**
 * Where a later page begins, so that no chunk of the pages before it is decompressed. The lines of a chunk have one second.
 * @returns the second of the line with this position, and how many lines that fit are newer than the second; `BOTTOM` when
 * there are not so many lines
 */
async function startOf(
  db: Db,
  filter: SystemLogFilter,
  position: number,
): Promise<{ second: string; newer: number }> {
  const [row] = await db.execute<{ second: string; newer: number }>(sql`
    select ${rfc3339(sql`second`)} as second, (total - n)::int as newer from (
      select second, n, sum(n) over (order by second desc) as total from (
        select date_trunc('second', at) as second, sum(n) as n from ${counted(filter)} group by 1
      ) seconds
    ) totals where total > ${position}::bigint order by second desc limit 1`)
  return row ?? BOTTOM
}

/** No line is as old. */
const BOTTOM = { second: '0001-01-01T00:00:00Z', newer: 0 }
