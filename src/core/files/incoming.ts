import type { Bus } from '../../bus/bus.ts'
import { AppError } from '../errors.ts'
import { uploadEndedHint } from './hints.ts'
import { Places } from './places.ts'

/** How long a client should wait before it tries again. The server cannot know when an upload ends. */
const RETRY_SECONDS = 5

export const tooManyUploads = (limit: number): AppError =>
  new AppError('TOO_MANY_UPLOADS', { params: { limit, seconds: RETRY_SECONDS } })

/** The uploads that this server is receiving. A deletion on any server stops them. */
export class IncomingUploads {
  private readonly stops = new Map<string, AbortController>()
  private readonly places: Places
  private readonly turns = new Map<number, Promise<unknown>>()

  /** @param perUser how many uploads of one user this server receives at the same time */
  constructor(bus: Bus, perUser: number) {
    this.places = new Places(perUser, tooManyUploads)
    bus.subscribe(uploadEndedHint, ({ upload, code }) => this.stops.get(upload)?.abort(new AppError(code)))
  }

  /** How many uploads this server is receiving. */
  underWay(): number {
    return this.stops.size
  }

  /**
   * Counts an upload of this user until the result is disposed of, from before its first byte is read.
   * @throws AppError TOO_MANY_UPLOADS
   */
  enter(userId: number): Disposable {
    return this.places.enter(userId)
  }

  /**
   * Runs the changes of one user one after the other. The database locks would make them wait as well, but each of them
   * would then hold a connection that other users need.
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

  /**
   * @param upload its name among all uploads
   * @returns a signal that aborts when a user ends the upload, until the result is disposed of
   */
  watch(upload: string): Disposable & { signal: AbortSignal } {
    const stop = new AbortController()
    this.stops.set(upload, stop)
    return { signal: stop.signal, [Symbol.dispose]: () => void this.stops.delete(upload) }
  }
}
