import type { Bus } from '../../bus/bus.ts'
import { AppError } from '../errors.ts'
import { materialsHint } from './hints.ts'

/** How long a client had better wait before it tries again: nobody knows when an upload ends. */
const RETRY_SECONDS = 5

export const tooManyUploads = (limit: number): AppError =>
  new AppError('TOO_MANY_UPLOADS', { params: { limit, seconds: RETRY_SECONDS } })

/** The uploads that this server is writing, so that a deletion stops them, whichever server hears of it. */
export class IncomingUploads {
  private readonly stops = new Map<number, AbortController>()
  private readonly counts = new Map<number, number>()
  private readonly turns = new Map<number, Promise<unknown>>()

  /** @param perUser how many uploads of one user this server takes at the same time */
  constructor(
    bus: Bus,
    private readonly perUser: number,
  ) {
    bus.subscribe(materialsHint, ({ id, active }) => {
      if (!active) this.stops.get(id)?.abort(new AppError('ALREADY_DELETED'))
    })
  }

  /**
   * Counts an upload of this user until it is disposed of; its bytes need not have come.
   * @throws AppError TOO_MANY_UPLOADS
   */
  enter(userId: number): Disposable {
    const count = this.counts.get(userId) ?? 0
    if (count >= this.perUser) throw tooManyUploads(this.perUser)
    this.counts.set(userId, count + 1)
    return {
      [Symbol.dispose]: () => {
        const left = this.counts.get(userId)! - 1
        if (left > 0) this.counts.set(userId, left)
        else this.counts.delete(userId)
      },
    }
  }

  /**
   * Runs the changes of one user one after the other. They wait for each other in the database anyway, and would do so
   * with every connection that others need.
   */
  inTurn<T>(userId: number, change: () => Promise<T>): Promise<T> {
    const before = this.turns.get(userId) ?? Promise.resolve()
    const turn = before.then(change, change)
    this.turns.set(userId, turn)
    const done = () => {
      if (this.turns.get(userId) === turn) this.turns.delete(userId)
    }
    turn.then(done, done)
    return turn
  }

  /** @returns a signal that says, until it is disposed of, that the material was deleted */
  watch(materialId: number): Disposable & { signal: AbortSignal } {
    const stop = new AbortController()
    this.stops.set(materialId, stop)
    return { signal: stop.signal, [Symbol.dispose]: () => void this.stops.delete(materialId) }
  }
}
