/**
 * What the tasks of this node say, on its way to the server. The server closes a node that sends too many frames, so
 * progress and log lines of all tasks share one rate, in turns: a task that floods takes nothing from the others.
 * Everything else (accept, heartbeat, completed…) goes at once and only counts against the rate.
 */
import type { NodeFrame, NodeFrameOf } from '../live/node-protocol.ts'
import { type Lease, leaseKey } from './state-files.ts'
import type { LogLevel, TaskProgress } from './task-output.ts'
import { Rate } from './throttle.ts'

/** The server's limit is 500 a second with a burst of 2000. */
const FRAMES_PER_SECOND = 250
const LOG_LINES_PER_SECOND = 50
const PROGRESS_INTERVAL_MS = 100
const NOTICE_INTERVAL_MS = 1000
const TURN_MS = 25
/** With more than this on its way to the network, progress, logs and results wait. */
const MAX_BACKLOG_BYTES = 4 * 1024 * 1024
/** Log lines that wait, of one task; the oldest go first. Few while the server listens, so that what it sees is recent. */
const MAX_WAITING_LINES = 20
/** While the server is away: of one task, and of all together. */
const MAX_KEPT_LINES = 500
const MAX_KEPT_LINES_OF_ALL = 2000

interface Connection {
  readonly isReady: boolean
  /** Bytes that the network has not taken yet. */
  readonly backlog: number
  send(frame: NodeFrame): boolean
}

export class Outbox {
  private readonly rate = new Rate(FRAMES_PER_SECOND)
  private readonly lanes = new Map<string, Lane>()
  /** Lanes in their order; each that sent a frame goes to the end. */
  private turns: Lane[] = []
  private timer: Timer | undefined

  constructor(
    private readonly connection: Connection,
    /** All that an ended task had said is sent. */
    private readonly onDrained: () => void,
  ) {}

  lane(lease: Lease): Lane {
    const lane = new Lane(
      lease,
      () => this.pump(),
      () => this.lineLimit(),
    )
    this.lanes.set(leaseKey(lease), lane)
    this.turns.push(lane)
    return lane
  }

  /** Sends at once. False when no server listens, or the network takes no more. */
  urgent(frame: NodeFrame): boolean {
    this.rate.spend()
    return this.connection.send(frame)
  }

  /** Whether a final frame may go: its task's own words before it, and never into a network that takes nothing. */
  mayEnd(lease: Lease): boolean {
    return !this.lanes.has(leaseKey(lease)) && this.connection.backlog < MAX_BACKLOG_BYTES
  }

  /** The task has said its last word; what waits goes before other tasks' words. */
  end(lease: Lease): void {
    const lane = this.lanes.get(leaseKey(lease))
    if (!lane) return
    lane.end()
    this.pump()
  }

  /** Forgets what waits: the attempt is no longer ours. */
  discard(lease: Lease): void {
    const lane = this.lanes.get(leaseKey(lease))
    if (lane) this.remove(lane)
  }

  /** A server listens: it gets what waits, and the newest progress again, which it may have missed. */
  connected(): void {
    for (const lane of this.lanes.values()) lane.repeatProgress()
    this.pump()
  }

  close(): void {
    clearTimeout(this.timer)
    this.lanes.clear()
    this.turns = []
  }

  private lineLimit(): number {
    if (this.connection.isReady) return MAX_WAITING_LINES
    return Math.max(MAX_WAITING_LINES, Math.min(MAX_KEPT_LINES, MAX_KEPT_LINES_OF_ALL / this.lanes.size))
  }

  private pump(): void {
    let sent = true
    while (sent && this.mayTalk()) sent = this.round()
    this.removeDrained()
    if (this.timer || !this.connection.isReady || !this.turns.some((lane) => lane.hasFrames)) return
    this.timer = setTimeout(() => {
      this.timer = undefined
      this.pump()
    }, TURN_MS)
  }

  /** One frame of each lane; ended ones first. */
  private round(): boolean {
    const now = performance.now()
    const order = [...this.turns.filter(({ ended }) => ended), ...this.turns.filter(({ ended }) => !ended)]
    const served = new Set<Lane>()
    for (const lane of order) {
      if (!this.mayTalk()) break
      const frame = lane.take(now)
      if (!frame) continue
      this.urgent(frame)
      served.add(lane)
    }
    if (served.size > 0) this.turns = [...this.turns.filter((lane) => !served.has(lane)), ...served]
    return served.size > 0
  }

  private mayTalk(): boolean {
    return this.connection.isReady && this.connection.backlog < MAX_BACKLOG_BYTES && this.rate.open
  }

  private removeDrained(): void {
    const drained = this.turns.filter((lane) => lane.ended && !lane.hasFrames)
    for (const lane of drained) this.remove(lane)
    if (drained.length > 0) this.onDrained()
  }

  private remove(lane: Lane): void {
    if (this.lanes.get(leaseKey(lane.lease)) === lane) this.lanes.delete(leaseKey(lane.lease))
    this.turns = this.turns.filter((other) => other !== lane)
  }
}

/** One attempt's progress and log. */
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

  /** The next frame that is due. Progress and log lines take turns, so that neither waits for the other. */
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
    // A second after the first line that is dropped, and never earlier after the notice before.
    if (this.dropped++ > 0) return
    this.noticeAt = performance.now() + NOTICE_INTERVAL_MS
    this.wake()
  }
}
