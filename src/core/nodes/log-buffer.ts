/**
 * Stores the log lines of running attempts: the lines of all attempts together, one statement at a time. A line that cannot
 * be stored is counted, and a line in the task's log tells how many are missing.
 */
import type { Context } from '../context.ts'
import { failure } from '../tasks/failures.ts'
import { addLogs, type NewLog, noteLine } from '../tasks/logs.ts'

/** The lines of one attempt that this server has received. */
export interface AttemptLog {
  readonly taskId: number
  readonly attempt: number
  /** All lines so far. */
  lines: number
  /** Lines that are not stored yet. */
  waiting: number
  /** Lines that could not be stored and that the task's log does not mention yet. */
  lost: number
}

interface Entry {
  log: AttemptLog
  line: NewLog
  /** How many lines are missing when this one cannot be stored. A notice stands for several lines. */
  weight: number
}

const MAX_LINES_OF_ATTEMPT = 10_000
const MAX_WAITING_LINES = 5000
/** An attempt ends before its last lines are stored when another transaction holds the task's row for longer than this. */
const MAX_DELAY_OF_END_MS = 3000
const RETRY_MS = 20

export class LogBuffer {
  private entries: Entry[] = []
  private readonly incomplete = new Set<AttemptLog>()
  private flushing: Promise<void> | undefined
  /** The running statement. A flush runs one after the other for as long as nodes send lines. */
  private storing: Promise<number | undefined> | undefined

  constructor(private readonly ctx: Pick<Context, 'bus' | 'db' | 'log'>) {}

  add(log: AttemptLog, line: Pick<NewLog, 'level' | 'message'>): void {
    if (log.lines > MAX_LINES_OF_ATTEMPT) return
    if (this.entries.length >= MAX_WAITING_LINES) return this.lose(log)
    const { taskId, attempt } = log
    if (++log.lines <= MAX_LINES_OF_ATTEMPT) this.push(log, { taskId, attempt, ...line })
    else this.push(log, notice(log, 'log_limit', { limit: MAX_LINES_OF_ATTEMPT }))
    void this.flush()
  }

  /** Counts a line for which this server had no room. */
  lose(log: AttemptLog): void {
    if (log.lines <= MAX_LINES_OF_ATTEMPT) this.miss(log, 1)
  }

  /**
   * Waits until the lines of an attempt are stored, so that a client that learns of its end can read them. Gives up when the
   * database fails: then the transaction that ends the attempt most likely fails too, and the node repeats its report.
   */
  async whenStored(log: AttemptLog): Promise<void> {
    const until = performance.now() + MAX_DELAY_OF_END_MS
    while (log.waiting > 0 || log.lost > 0) {
      const { waiting, lost } = log
      void this.flush()
      const failed = (await this.storing) === undefined
      if (failed && log.lost > 0) return
      if (log.waiting + log.lost < waiting + lost) continue
      if (performance.now() > until) return
      await Bun.sleep(RETRY_MS)
    }
  }

  /** Stores the lines that wait. Lines of a task whose row another transaction holds wait for the next call. */
  flush(): Promise<void> {
    if (this.entries.length > 0 || this.incomplete.size > 0) this.flushing ??= this.storeAll()
    return this.flushing ?? Promise.resolve()
  }

  /** Call this only when lines wait, because it must not end before `flushing` is set. */
  private async storeAll(): Promise<void> {
    for (let left = 0; this.entries.length > left || this.incomplete.size > 0; ) {
      for (const log of this.incomplete) {
        this.push(log, notice(log, 'log_lost', { lines: log.lost }), log.lost)
        log.lost = 0
      }
      this.incomplete.clear()
      const batch = this.entries
      this.entries = []
      this.storing = this.store(batch)
      const again = await this.storing
      if (again === undefined) break
      left = again
    }
    // In the same turn as the last look at the lines, so that a line that comes now begins a new flush.
    this.flushing = undefined
  }

  /** @returns how many lines wait again; undefined when the database failed */
  private async store(batch: Entry[]): Promise<number | undefined> {
    const lines = batch.map(({ line }) => line)
    let held: Set<number>
    try {
      held = new Set(await addLogs(this.ctx, lines))
    } catch (error) {
      this.ctx.log.warn({ err: error }, 'could not store the log lines of tasks')
      for (const { log, weight } of batch) {
        log.waiting--
        this.miss(log, weight)
      }
      return undefined
    }
    const again = batch.filter(({ log }) => held.has(log.taskId))
    for (const { log } of batch) if (!held.has(log.taskId)) log.waiting--
    this.entries.unshift(...again)
    return again.length
  }

  private miss(log: AttemptLog, lines: number): void {
    log.lost += lines
    this.incomplete.add(log)
  }

  private push(log: AttemptLog, line: NewLog, weight = 1): void {
    log.waiting++
    this.entries.push({ log, line, weight })
  }
}

const notice = ({ taskId, attempt }: AttemptLog, ...why: Parameters<typeof failure>) =>
  noteLine({ id: taskId, attempt }, failure(...why))
