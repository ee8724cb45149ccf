import { CANNOT_START_SECONDS } from '../tasks/attempts.ts'
import type { Task } from '../tasks/rows.ts'
import type { AttemptLog } from './log-buffer.ts'
import type { Reading, RunningTask } from './presence.ts'
import type { Node } from './rows.ts'

/** The connection to a node: core does not know that it is a socket. Every method returns at once. */
export interface NodeLink {
  /** Frames of the node that wait to be handled. */
  readonly backlog: number
  /** False when the socket has closed. */
  readonly alive: boolean
  /** Milliseconds since the node last sent or answered anything. */
  readonly quietMs: number
  /** Sends a ping, which a living node answers. */
  sendPing(): void
  assign(task: Task): void
  cancel(taskUuid: string, attempt: number): void
  drain(): void
  /** Sends `welcome`: at the sign-in, and again when a drain has ended. */
  welcome(): void
  /** `superseded`: the node has a newer connection. */
  end(reason: 'superseded' | 'revoked'): void
}

export interface HeldAttempt {
  taskId: number
  taskType: string | null
  attempt: number
  accepted: boolean
  /** The node has accepted the task, although this may not be stored yet. */
  answered?: boolean
  progress: number
  currentItem: string
  readonly log: AttemptLog
  /** `drains` of the node when the task was assigned. */
  drains: number
  /** Set when the server has ended the attempt and the node has not confirmed it. Until then the slot is not free. */
  ending: ReturnType<typeof setTimeout> | undefined
}

/** A node that does not answer an assignment gets no task for this time; each further time the pause doubles. */
const UNANSWERED_MS = 10_000
const MAX_UNANSWERED_MS = 40_000

export class ConnectedNode {
  /** By task UUID. */
  readonly held = new Map<string, HeldAttempt>()
  readonly refused = new Map<string, number>()
  /** Task types whose program the node could not start, with the time until which it does not get them. */
  private readonly unable = new Map<string, number>()
  lastHeard = performance.now()
  /** The node refused a task because it stops soon. It gets no task on this connection any more. */
  leaving = false
  /** Counts the frames that began or ended a drain. */
  drains = 0
  /** The number of the node's socket. */
  readonly socket: number
  /** The newest figures. */
  reading: Reading
  /** How many times in a row the node let assignments expire. */
  private unanswered = 0
  private mutedUntil = 0

  constructor(
    public node: Node,
    readonly link: NodeLink,
    private readonly ownTypes: ReadonlySet<string>,
    /** How many tasks the node allows. The administrator's limit may be lower. */
    public ownLimit: number,
  ) {
    this.socket = node.socket
    this.reading = { cpuUsage: node.cpuUsage, memoryUsage: node.memoryUsage, gpus: node.gpus }
    for (const { taskType, at } of node.cannotStart) {
      // The database set both times.
      const ago = (node.lastHeartbeatAt?.getTime() ?? 0) - Date.parse(at)
      if (ago >= 0 && ago < CANNOT_START_SECONDS * 1000) this.cannotStart(taskType, ago)
    }
  }

  get free(): number {
    if (this.node.draining || this.leaving || !this.node.online) return 0
    const room = Math.max(0, Math.min(this.ownLimit, this.node.maxConcurrentTasks) - this.held.size)
    if (this.unanswered === 0) return room
    // One assignment at a time shows whether the node answers again.
    const waits =
      performance.now() < this.mutedUntil || [...this.held.values()].some((held) => !held.accepted)
    return waits ? 0 : Math.min(1, room)
  }

  /** The node did not answer its last assignments, so it gets one at a time. */
  get probing(): boolean {
    return this.unanswered > 0
  }

  get taskTypes(): ReadonlySet<string> {
    const now = performance.now()
    for (const [type, until] of this.unable) if (until <= now) this.unable.delete(type)
    return this.unable.size === 0 ? this.ownTypes : this.ownTypes.difference(this.unable)
  }

  /** The attempts that the node has accepted and that have not ended. */
  get runningTasks(): RunningTask[] {
    return [...this.held]
      .filter(([, attempt]) => attempt.accepted && !attempt.ending)
      .map(([taskUuid, { progress }]) => ({ taskUuid, progress }))
  }

  cannotStart(taskType: string, agoMs = 0): void {
    this.unable.set(taskType, performance.now() + CANNOT_START_SECONDS * 1000 - agoMs)
  }

  /** The node answered an assignment. */
  answered(): void {
    this.unanswered = 0
  }

  /** The node let an assignment expire. Assignments that expire together count once. */
  ignored(): void {
    const now = performance.now()
    if (now < this.mutedUntil) return
    this.mutedUntil = now + Math.min(MAX_UNANSWERED_MS, UNANSWERED_MS * 2 ** this.unanswered)
    this.unanswered++
  }
}
