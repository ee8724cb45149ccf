import { join } from 'node:path'
import { type NodeFrameOf, nodeFrameProblem } from '../protocol/node/node-frames.ts'
import type { Log } from './log.ts'
import { type Lease, leaseKey, StateFiles } from './state-files.ts'

export type FinalFrame = NodeFrameOf<'completed'> | NodeFrameOf<'failed'>

interface Entry {
  frame: FinalFrame
  chars: number
  sentAt: number
}

/** How many results may wait for their acknowledgement, so that a server that comes back is not flooded. */
const MAX_UNACKNOWLEDGED = 100
const MAX_UNACKNOWLEDGED_CHARS = 2 * 1024 * 1024

/**
 * Results of finished attempts, kept on disk until the server has acknowledged them: written before they are first
 * sent, so that neither a crash nor a lost connection loses one.
 */
export class Results {
  private readonly frames = new Map<string, Entry>()
  private readonly files: StateFiles<FinalFrame>

  constructor(
    stateDir: string,
    private readonly log: Log,
  ) {
    this.files = new StateFiles(join(stateDir, 'results'))
    for (const frame of this.files.load()) {
      if (isFinal(frame)) this.remember(frame)
      else log.warn(`ignored a file in ${stateDir}/results that holds no result`)
    }
  }

  get size(): number {
    return this.frames.size
  }

  has(lease: Lease): boolean {
    return this.frames.has(leaseKey(lease))
  }

  leases(): Lease[] {
    return [...this.frames.values()].map(({ frame: { task_id, attempt } }) => ({ task_id, attempt }))
  }

  /** When the disk is full, the result stays in memory and is sent all the same. */
  add(frame: FinalFrame, name: string): void {
    try {
      this.files.save(frame)
    } catch (error) {
      this.log.error(`the result of ${name} could not be saved: ${(error as Error).message}`)
    }
    this.remember(frame)
  }

  /** The server has acknowledged the result or does not want it. */
  drop(lease: Lease): void {
    if (this.frames.delete(leaseKey(lease))) this.files.remove(lease)
  }

  /** Makes the next `send` repeat the result, however lately it was sent. */
  repeat(lease: Lease): void {
    const entry = this.frames.get(leaseKey(lease))
    if (entry) entry.sentAt = Number.NEGATIVE_INFINITY
  }

  /** Sends the results that were last sent more than `olderThanMs` ago, the oldest first, as long as `send` takes them. */
  send(send: (frame: FinalFrame) => boolean, olderThanMs: number): void {
    const now = performance.now()
    const entries = [...this.frames.values()]
    const onTheirWay = entries.filter(({ sentAt }) => now - sentAt < olderThanMs)
    const due = entries
      .filter(({ sentAt }) => now - sentAt >= olderThanMs)
      .toSorted((a, b) => a.sentAt - b.sentAt)
    let count = onTheirWay.length
    let chars = onTheirWay.reduce((sum, entry) => sum + entry.chars, 0)
    for (const entry of due) {
      if (count > 0 && (count >= MAX_UNACKNOWLEDGED || chars + entry.chars > MAX_UNACKNOWLEDGED_CHARS)) return
      if (!send(entry.frame)) continue
      entry.sentAt = now
      count++
      chars += entry.chars
    }
  }

  private remember(frame: FinalFrame): void {
    const entry = { frame, chars: JSON.stringify(frame).length, sentAt: Number.NEGATIVE_INFINITY }
    this.frames.set(leaseKey(frame), entry)
  }
}

const isFinal = (frame: FinalFrame): boolean =>
  (frame?.type === 'completed' || frame?.type === 'failed') && nodeFrameProblem(frame) === undefined
