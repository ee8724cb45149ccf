import type { NodeFrameOf } from '../protocol/node/node-frames.ts'
import { Rate } from '../util/rate.ts'
import type { LogLevel } from './log-levels.ts'
import type { Lease } from './state-files.ts'
import type { TaskProgress } from './task-output.ts'

const LOG_LINES_PER_SECOND = 50
const PROGRESS_INTERVAL_MS = 100
const NOTICE_INTERVAL_MS = 1000

/** The frames of one attempt that wait to be sent: its newest progress and its last log lines. */
export class Lane {
  ended = false
  private readonly logRate = new Rate(LOG_LINES_PER_SECOND)
  private readonly lines: { level: LogLevel; message: string }[] = []
  private latest: TaskProgress | undefined
  private isProgressNew = false
  private progressAt = Number.NEGATIVE_INFINITY
  private dropped = 0
  private noticeAt = 0
  private wasLog = false

  constructor(
    readonly lease: Lease,
    private readonly wake: () => void,
    private readonly lineLimit: () => number,
  ) {}

  get hasFrames(): boolean {
    return this.isProgressNew || this.lines.length > 0 || this.dropped > 0
  }

  progress(progress: TaskProgress): void {
    this.latest = progress
    if (this.isProgressNew) return
    this.isProgressNew = true
    this.wake()
  }

  log(level: LogLevel, message: string): void {
    if (!this.logRate.take()) return this.drop()
    if (this.lines.length >= this.lineLimit()) {
      this.lines.shift()
      this.drop()
    }
    this.lines.push({ level, message })
    this.wake()
  }

  repeatProgress(): void {
    this.isProgressNew = this.latest !== undefined
  }

  end(): void {
    this.ended = true
  }

  /** The next frame. Progress and log lines take turns, so that neither waits for all of the other. */
  take(now: number): NodeFrameOf<'progress'> | NodeFrameOf<'log'> | undefined {
    return this.wasLog
      ? (this.takeProgress(now) ?? this.takeLog(now))
      : (this.takeLog(now) ?? this.takeProgress(now))
  }

  private takeProgress(now: number): NodeFrameOf<'progress'> | undefined {
    if (!this.isProgressNew || !this.latest) return undefined
    if (!this.ended && now - this.progressAt < PROGRESS_INTERVAL_MS) return undefined
    this.isProgressNew = false
    this.progressAt = now
    this.wasLog = false
    return { type: 'progress', ...this.lease, ...this.latest }
  }

  private takeLog(now: number): NodeFrameOf<'log'> | undefined {
    const line =
      this.takeNotice(now) ??
      this.lines.shift() ??
      (this.ended ? this.takeNotice(Number.POSITIVE_INFINITY) : undefined)
    if (!line) return undefined
    this.wasLog = true
    return { type: 'log', ...this.lease, ...line }
  }

  private takeNotice(now: number): { level: LogLevel; message: string } | undefined {
    if (this.dropped === 0 || now < this.noticeAt) return undefined
    const message = `${this.dropped} lines dropped: a task may log ${LOG_LINES_PER_SECOND} lines a second, fewer while others log too`
    this.dropped = 0
    return { level: 'WARNING', message }
  }

  private drop(): void {
    // One second after the first dropped line, and at least one second after the notice before.
    if (this.dropped++ > 0) return
    this.noticeAt = performance.now() + NOTICE_INTERVAL_MS
    this.wake()
  }
}
