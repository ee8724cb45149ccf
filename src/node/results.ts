import { join } from 'node:path'
import { type NodeFrameOf, nodeFrameProblem } from '../live/node-protocol.ts'
import type { Log } from './log.ts'
import { type Lease, leaseKey, StateFiles } from './state-files.ts'

export type FinalFrame = NodeFrameOf<'completed'> | NodeFrameOf<'failed'>

/**
 * Results of finished attempts, kept on disk until the server has acknowledged them: written before they are first
 * sent, so that neither a crash nor a lost connection loses one.
 */
export class Results {
  private readonly frames = new Map<string, { frame: FinalFrame; sentAt: number }>()
  private readonly files: StateFiles<FinalFrame>

  constructor(
    stateDir: string,
    private readonly log: Log,
  ) {
    this.files = new StateFiles(join(stateDir, 'results'))
    for (const frame of this.files.load()) {
      if (isFinal(frame)) this.frames.set(leaseKey(frame), { frame, sentAt: Number.NEGATIVE_INFINITY })
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

  /** On a disk that is full the result is still kept in memory, and sent. */
  add(frame: FinalFrame): void {
    try {
      this.files.save(frame)
    } catch (error) {
      this.log.error(`the result of ${frame.task_id} could not be saved: ${(error as Error).message}`)
    }
    this.frames.set(leaseKey(frame), { frame, sentAt: Number.NEGATIVE_INFINITY })
  }

  /** Acknowledged, or no longer wanted. */
  drop(lease: Lease): void {
    if (this.frames.delete(leaseKey(lease))) this.files.remove(lease)
  }

  /** Makes `send` repeat it next time, however lately it was sent. */
  repeat(lease: Lease): void {
    const entry = this.frames.get(leaseKey(lease))
    if (entry) entry.sentAt = Number.NEGATIVE_INFINITY
  }

  /** Sends what was last sent more than `olderThanMs` ago; stops where `send` takes no more. */
  send(send: (frame: FinalFrame) => boolean, olderThanMs: number): void {
    const now = performance.now()
    for (const entry of this.frames.values()) {
      if (now - entry.sentAt < olderThanMs) continue
      if (!send(entry.frame)) return
      entry.sentAt = now
    }
  }
}

const isFinal = (frame: FinalFrame): boolean =>
  (frame?.type === 'completed' || frame?.type === 'failed') && nodeFrameProblem(frame) === undefined
