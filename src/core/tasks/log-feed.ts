import { inArray, sql } from 'drizzle-orm'
import { taskLogs } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { taskLogsHint } from './log-hints.ts'
import { linesAfter, MAX_PAGE, type TaskLogLine } from './log-lines.ts'

/** How late a line may be when its hint was lost. */
const POLL_MS = 2000
/** Between two reads of one reader, because lines that come shortly after another go with one read. */
const PAUSE_MS = 50
const RETRY_MS = 500

interface Reader {
  position: number
  /** Lines may have come since the last read began. */
  dirty: boolean
  wake: () => void
}

/**
 * Follows the logs of tasks, whichever server their lines come from. The lines in the database count; hints only say when to
 * look. A reader holds a position and at most one page of lines, however slow it is.
 */
export class TaskLogFeed {
  private readonly readers = new Map<number, Set<Reader>>()
  private readonly timer: Timer | undefined
  private polling = false

  constructor(private readonly ctx: Pick<Context, 'bus' | 'config' | 'db' | 'log'>) {
    const { bus, config } = ctx
    bus.subscribe(taskLogsHint, (taskIds) => this.wake(taskIds))
    bus.onGap(() => this.wake(this.readers.keys()))
    // No other server writes to the embedded database, so that no hint is lost.
    if (config.databaseUrl) this.timer = setInterval(() => void this.poll(), POLL_MS)
    this.timer?.unref()
  }

  /** Yields the lines behind `position` as they are stored, in order and each once. Ends only when its signal is aborted. */
  async *follow(taskId: number, position: number, signal: AbortSignal): AsyncGenerator<TaskLogLine, void> {
    const reader: Reader = { position, dirty: true, wake: () => {} }
    const readers = this.readers.getOrInsertComputed(taskId, () => new Set())
    readers.add(reader)
    const stop = () => reader.wake()
    signal.addEventListener('abort', stop)
    try {
      while (!signal.aborted) {
        if (!reader.dirty) await next(reader, signal)
        reader.dirty = false
        const lines = await this.read(taskId, reader.position)
        for (const line of lines ?? []) {
          reader.position = line.id
          yield line
          if (signal.aborted) return
        }
        if (!lines || lines.length === MAX_PAGE) reader.dirty = true
        if (lines?.length !== MAX_PAGE) await Bun.sleep(lines ? PAUSE_MS : RETRY_MS)
      }
    } finally {
      signal.removeEventListener('abort', stop)
      readers.delete(reader)
      if (readers.size === 0 && this.readers.get(taskId) === readers) this.readers.delete(taskId)
    }
  }

  close(): void {
    clearInterval(this.timer)
  }

  private wake(taskIds: Iterable<number>): void {
    for (const taskId of taskIds) {
      for (const reader of this.readers.get(taskId) ?? []) {
        reader.dirty = true
        reader.wake()
      }
    }
  }

  /** Undefined when the database does not answer: the reader keeps its position and tries again. */
  private async read(taskId: number, after: number): Promise<TaskLogLine[] | undefined> {
    try {
      return await linesAfter(this.ctx.db).execute({ taskId, after })
    } catch (error) {
      this.ctx.log.debug({ err: error }, 'the log of a task could not be read')
      return undefined
    }
  }

  /** Finds lines of other servers whose hint was lost: one query for all tasks that are followed. */
  private async poll(): Promise<void> {
    if (this.polling || this.readers.size === 0) return
    this.polling = true
    try {
      const newest = await this.ctx.db
        .select({ taskId: taskLogs.taskId, position: sql<number>`max(${taskLogs.id})` })
        .from(taskLogs)
        .where(inArray(taskLogs.taskId, [...this.readers.keys()]))
        .groupBy(taskLogs.taskId)
      this.wake(newest.flatMap(({ taskId, position }) => (this.isBehind(taskId, position) ? [taskId] : [])))
    } catch (error) {
      this.ctx.log.debug({ err: error }, 'polling the logs of tasks failed')
    } finally {
      this.polling = false
    }
  }

  private isBehind(taskId: number, position: number): boolean {
    for (const reader of this.readers.get(taskId) ?? []) if (reader.position < position) return true
    return false
  }
}

/** Resolves when lines may have come, or when the signal aborts. */
function next(reader: Reader, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted || reader.dirty) return resolve()
    reader.wake = () => {
      reader.wake = () => {}
      resolve()
    }
  })
}
