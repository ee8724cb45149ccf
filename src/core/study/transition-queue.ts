import type { Context } from '../context.ts'
import type { Run } from './run.ts'
import { storeTransitions, type Transition } from './transitions.ts'

const STORE_AT_ONCE = 500
/** Nobody waits for a step, and a transaction of ten costs little more than one of one. */
const GATHER_MS = 20
/** Transitions that could not be stored are tried again after this time, all of them together. */
const RETRY_MS = 250

/** Whose transitions are stored. */
export interface Stage {
  /** Whether this server still runs the task. */
  holds(run: Run): boolean
  stored(transition: Transition, revision: number): void
  /** Another server runs the task, or a user has stopped it: nothing was stored. */
  lost(run: Run): void
}

/** Stores transitions: those of a moment, and what comes while a transaction runs, together. */
export class TransitionQueue {
  private transitions: Transition[] = []
  private failed: Transition[] = []
  private storing: Promise<void> | undefined
  private retry: Timer | undefined
  private isClosed = false

  constructor(
    private readonly ctx: Context,
    private readonly stage: Stage,
  ) {}

  push(...transitions: Transition[]): void {
    this.transitions.push(...transitions)
    this.storing ??= this.storeAll().finally(() => {
      this.storing = undefined
    })
  }

  /** What fails from now on is not tried again. */
  close(): void {
    this.isClosed = true
    clearTimeout(this.retry)
  }

  /** Waits until nothing is being stored; undefined when nothing is. */
  get settled(): Promise<void> | undefined {
    return this.storing
  }

  private async storeAll(): Promise<void> {
    while (this.transitions.length > 0) {
      await Bun.sleep(GATHER_MS)
      const some = this.transitions.splice(0, STORE_AT_ONCE).filter(({ run }) => this.stage.holds(run))
      if (some.length === 0) continue
      try {
        const { stored, locked } = await storeTransitions(this.ctx, some)
        for (const transition of some) {
          const { run } = transition
          const revision = stored.get(run.taskId)
          if (!this.stage.holds(run)) continue
          if (revision !== undefined) this.stage.stored(transition, revision)
          else if (locked.has(run.taskId)) this.again(transition)
          else this.stage.lost(run)
        }
      } catch (error) {
        this.ctx.log.warn({ err: error }, 'steps of study tasks could not be stored')
        this.again(...some)
      }
    }
  }

  private again(...transitions: Transition[]): void {
    if (this.isClosed) return
    this.failed.push(...transitions)
    this.retry ??= setTimeout(() => {
      this.retry = undefined
      this.push(...this.failed.splice(0))
    }, RETRY_MS)
  }
}
