/**
 * Sends the frames of this node's tasks to the server. The server closes the socket of a node that sends too many frames, so
 * the tasks take turns within one rate for progress and log lines: a task that logs too much does not delay the others.
 * The node sends all other frames (accept, heartbeat, completed…) at once, and they only count against the rate.
 */
import type { NodeFrame } from '../protocol/node/node-frames.ts'
import { Rate } from '../util/rate.ts'
import { Lane } from './lane.ts'
import { type Lease, leaseKey } from './state-files.ts'

/** Frames a second. The server's limit is 500 with a burst of 2000. */
const FRAMES_PER_SECOND = 250
const TURN_MS = 25
/** With more bytes in the socket's buffer, progress and log lines wait, because urgent frames would come after them. */
const MAX_TALK_BACKLOG_BYTES = 256 * 1024
/** The same limit for results. */
const MAX_BACKLOG_BYTES = 4 * 1024 * 1024
/**
 * Log lines of one task that wait while there is a connection. The oldest ones are dropped first. Few, so that clients
 * see recent lines.
 */
const MAX_WAITING_LINES = 20
/** The same without a connection: of one task, and of all tasks together. */
const MAX_KEPT_LINES = 500
const MAX_KEPT_LINES_OF_ALL = 2000

interface Connection {
  readonly isReady: boolean
  /** Bytes that wait in the socket's buffer. */
  readonly backlog: number
  send(frame: NodeFrame): boolean
}

export class Outbox {
  private readonly rate = new Rate(FRAMES_PER_SECOND)
  private readonly lanes = new Map<string, Lane>()
  /** Lanes in the order of their turns. A lane that sent a frame goes to the end. */
  private turns: Lane[] = []
  private timer: Timer | undefined

  constructor(
    private readonly connection: Connection,
    /** Everything of an ended task has been sent. */
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

  /** Sends at once. @returns false when there is no connection, or when its buffer is full */
  urgent(frame: NodeFrame): boolean {
    this.rate.spend()
    return this.connection.send(frame)
  }

  /** Whether the last frame of an attempt may go: after all its other frames, and not into a full buffer. */
  mayEnd(lease: Lease): boolean {
    return !this.lanes.has(leaseKey(lease)) && this.connection.backlog < MAX_BACKLOG_BYTES
  }

  /** The task has ended. Its waiting frames go before those of other tasks. */
  end(lease: Lease): void {
    const lane = this.lanes.get(leaseKey(lease))
    if (!lane) return
    lane.end()
    if (lane.hasFrames) this.pump()
    else this.remove(lane)
  }

  /** Drops the waiting frames of an attempt that does not belong to this node any more. */
  discard(lease: Lease): void {
    const lane = this.lanes.get(leaseKey(lease))
    if (lane) this.remove(lane)
  }

  /** There is a connection again: sends what waits, and the newest progress again, which the server may have missed. */
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
    // Called for every line of a task. Above the rate only the timer sends.
    if (this.timer && !this.rate.open) return
    let sent = true
    while (sent && this.mayTalk()) sent = this.round()
    this.removeDrained()
    if (this.timer || !this.connection.isReady || !this.turns.some((lane) => lane.hasFrames)) return
    this.timer = setTimeout(() => {
      this.timer = undefined
      this.pump()
    }, TURN_MS)
  }

  /** One frame of each lane; lanes of ended tasks first. */
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
    const { isReady, backlog } = this.connection
    return isReady && backlog < MAX_TALK_BACKLOG_BYTES && this.rate.open
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
