/** Stores the lines of this server's log in the table `system_logs`. */
import { sql } from 'drizzle-orm'
import { preparedSql } from '../../db/prepared.ts'
import { copyLines, withoutCopies } from '../../util/logger.ts'
import { waitAtMost } from '../../util/wait-at-most.ts'
import type { Context } from '../context.ts'
import { Chunk } from './chunks.ts'
import { lacksPartition, makePartition } from './partitions.ts'
import { serverName } from './server-name.ts'

/** Lines are collected for this long, because a statement costs far more than one more line in it. */
const FLUSH_MS = 1000
/** Lines and characters that may wait while the database is slow or away. Later lines are lost. */
const MAX_LINES = 20_000
const MAX_LENGTH = 4 * 1024 * 1024
/** This part of the room is kept for warnings and errors: while the database is away, they tell more than requests do. */
const RESERVED = 0.25
const WARNING = 40
const FIRST_RETRY_MS = 1000
const LAST_RETRY_MS = 30_000
/** How long a stop waits for the database. */
const CLOSE_MS = 1000

/**
 * Takes a copy of each line of the log. A line waits in memory for a second, so that the last lines before a crash are lost.
 * Nothing here waits for the database, and nothing that this class logs comes back to it.
 */
export class SystemLog {
  private readonly server = serverName()
  /** The oldest first; lines go to the last one. */
  private chunks: Chunk[] = []
  private lines = 0
  private length = 0
  /** Lines that could not be kept, and that no line of the table mentions yet. */
  private lost = 0
  private timer: Timer | undefined
  private storing: Promise<void> | undefined
  /** 0 unless the last attempt failed. */
  private retryMs = 0
  private closed = false
  private readonly stop: () => void
  private readonly counted: { stored: { value: number }; lost: { value: number } }

  constructor(private readonly ctx: Pick<Context, 'config' | 'db' | 'log' | 'metrics'>) {
    const { metrics, config, log } = ctx
    this.counted = { stored: metrics.logLines.of('stored'), lost: metrics.logLines.of('lost') }
    this.stop = config.logKeepDays === 0 ? () => {} : copyLines(log, this.take.bind(this))
  }

  /** Stores the lines that wait. Resolves also when the database does not take them. */
  flush(): Promise<void> {
    clearTimeout(this.timer)
    this.timer = undefined
    this.storing ??= this.storeAll().finally(() => {
      this.storing = undefined
      if (this.lines > 0 && !this.closed) this.flushIn(this.retryMs || FLUSH_MS)
    })
    return this.storing
  }

  /** Takes no more lines, and stores those that wait, as far as the database takes them within a second. */
  async close(): Promise<void> {
    this.closed = true
    this.stop()
    await waitAtMost(CLOSE_MS, this.flushRest())
  }

  /** Lines may have come while others were being stored. */
  private async flushRest(): Promise<void> {
    do await this.flush()
    while (this.lines > 0 && this.retryMs === 0)
  }

  private take(text: string, level: number, time: string): void {
    const part = level < WARNING ? 1 - RESERVED : 1
    if (this.lines >= MAX_LINES * part || this.length + text.length > MAX_LENGTH * part) {
      this.lost++
      this.counted.lost.value++
      return
    }
    this.add(text, level, time)
    if (!this.storing) this.flushIn(FLUSH_MS)
  }

  private add(text: string, level: number, time: string): void {
    let chunk = this.chunks.at(-1)
    const before = chunk?.length ?? 0
    if (chunk?.add(text, level, time)) this.length += chunk.length - before
    else {
      chunk = new Chunk(time)
      chunk.add(text, level, time)
      this.chunks.push(chunk)
      this.length += chunk.length
    }
    this.lines++
  }

  private flushIn(ms: number): void {
    this.timer ??= setTimeout(() => void this.flush(), ms)
    this.timer.unref()
  }

  /** Stores what waits now. Lines that come meanwhile go with the next call. */
  private async storeAll(): Promise<void> {
    const { log } = this.ctx
    const chunks = this.chunks
    this.chunks = []
    try {
      for (let chunk = chunks[0]; chunk; chunk = chunks[0]) {
        await this.store(chunk)
        chunks.shift()
        this.lines -= chunk.lines.length
        this.length -= chunk.length
        this.counted.stored.value += chunk.lines.length
      }
    } catch (error) {
      this.chunks = [...chunks, ...this.chunks]
      if (this.retryMs === 0)
        withoutCopies(log, (log) =>
          log.warn({ err: error }, 'the log cannot be stored in the database for now'),
        )
      this.retryMs = Math.min(this.retryMs * 2 || FIRST_RETRY_MS, LAST_RETRY_MS)
      return
    }
    this.retryMs = 0
    if (this.lost > 0) this.tellLoss()
  }

  private tellLoss(): void {
    const time = new Date().toISOString()
    const { lost } = this
    this.lost = 0
    const line = { level: WARNING, time, lost, msg: `${lost} lines of the log could not be stored` }
    this.add(`${JSON.stringify(line)}\n`, WARNING, time)
  }

  private async store(chunk: Chunk): Promise<void> {
    const { db } = this.ctx
    const [debug, info, warning, error, critical] = chunk.counts
    const body = await chunk.compress()
    const row = { at: chunk.at, server: this.server, debug, info, warning, error, critical, body }
    try {
      await insertChunk(db).execute(row)
    } catch (error) {
      if (!lacksPartition(error)) throw error
      await makePartition(db, chunk.at.slice(0, 10))
      await insertChunk(db).execute(row)
    }
  }
}

const insertChunk = preparedSql(
  'insert_log_chunk',
  sql`
    insert into system_logs
      (at, server, debug_lines, info_lines, warning_lines, error_lines, critical_lines, body)
    values (${sql.placeholder('at')}::text::timestamptz, ${sql.placeholder('server')}, ${sql.placeholder('debug')},
      ${sql.placeholder('info')}, ${sql.placeholder('warning')}, ${sql.placeholder('error')},
      ${sql.placeholder('critical')}, ${sql.placeholder('body')})`,
)
