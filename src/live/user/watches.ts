import type { Context } from '../../core/context.ts'
import { TOPIC_KINDS } from '../topics/index.ts'
import type { ReadCurrent, StateTopic } from '../topics/topic.ts'

/** A subscription: a state topic on one socket. */
export interface Watch {
  topic: StateTopic
  /** The {@link Watches.tick} of the newest value that this watch has got. */
  asOf: number
  /** The last frame that was sent to the client. */
  shown: string | undefined
  /** Takes a newer value. */
  changed(value: object, asOf: number): void
  /** Renders the newest value anew, because time has passed. */
  moved(): void
}

/** How many keys a line of the log names. */
const MAX_NAMED = 10
/** A client gets the figures of a topic that moves this often at most. */
const MOVE_MS = 500
/** The watches that move take turns within {@link MOVE_MS}, so that they do not hold up the process together. */
const TURN_MS = 50

/** Knows which sockets of this server watch which state, and tells them when it changes. */
export class Watches {
  private readonly byKey = new Map<string, Set<Watch>>()
  private readonly delayed = new Map<string, ReturnType<typeof setTimeout>>()
  /** The keys whose values are read next, all together: a burst of events may concern many. */
  private readonly stale = new Set<string>()
  /** The watches whose frames change with the time, and when each was rendered last. */
  private readonly moving = new Map<Watch, number>()
  private turns: ReturnType<typeof setInterval> | undefined
  private clock = 0
  /** They end the timers of kinds. */
  private readonly stops: (() => void)[]

  constructor(private readonly ctx: Context) {
    ctx.bus.onState((key, value) => this.stateChanged(key, value))
    this.stops = TOPIC_KINDS.flatMap(
      (kind) => kind.listen?.(ctx, (key, delayMs) => this.dirty(key, delayMs)) ?? [],
    )
  }

  add(watch: Watch): void {
    const watches = this.byKey.get(watch.topic.key)
    if (watches) watches.add(watch)
    else this.byKey.set(watch.topic.key, new Set([watch]))
  }

  delete(watch: Watch): void {
    const watches = this.byKey.get(watch.topic.key)
    watches?.delete(watch)
    if (watches?.size === 0) this.byKey.delete(watch.topic.key)
    this.moving.delete(watch)
  }

  /**
   * A watch has got a newer value.
   * @returns whether its frame is due now. Otherwise the watch is moving, and its turn comes within half a second
   */
  takes(watch: Watch, value: object): boolean {
    const isMoving = watch.topic.isMoving?.(value) ?? false
    if (this.moving.has(watch) && watch.shown !== undefined) return false
    if (isMoving) {
      this.moving.set(watch, performance.now())
      this.turns ??= setInterval(() => this.turn(), TURN_MS)
    }
    return true
  }

  /** The newest value of a watch does not move any more. */
  stands(watch: Watch): void {
    this.moving.delete(watch)
  }

  private turn(): void {
    const now = performance.now()
    for (const [watch, renderedAt] of this.moving) {
      if (now - renderedAt < MOVE_MS) continue
      this.moving.set(watch, now)
      watch.moved()
    }
    if (this.moving.size > 0) return
    clearInterval(this.turns)
    this.turns = undefined
  }

  /** A logical clock that orders values: one whose read began before a change must not replace the changed value. */
  tick(): number {
    return ++this.clock
  }

  /** Reads all watched states: finds changes of other servers whose hint was lost. */
  poll(): Promise<void> {
    return this.read(this.byKey.keys())
  }

  close(): void {
    for (const stop of this.stops) stop()
    for (const timer of this.delayed.values()) clearTimeout(timer)
    this.delayed.clear()
    this.stale.clear()
    clearInterval(this.turns)
    this.moving.clear()
  }

  private stateChanged(key: string, value: object | undefined): void {
    const watches = this.byKey.get(key)
    if (!watches) return
    // Without a value the state has ended: the database has the last one.
    if (value) this.tell(watches, value, this.tick())
    else this.reload(key)
  }

  private dirty(key: string, delayMs = 0): void {
    if (this.delayed.has(key) || !this.byKey.has(key)) return
    if (delayMs === 0) return this.reload(key)
    const timer = setTimeout(() => {
      this.delayed.delete(key)
      this.reload(key)
    }, delayMs)
    this.delayed.set(key, timer)
  }

  private tell(watches: Set<Watch>, value: object, asOf: number): void {
    for (const watch of watches) watch.changed(value, asOf)
  }

  private reload(key: string): void {
    if (this.stale.size === 0) setImmediate(() => void this.readStale())
    this.stale.add(key)
  }

  private async readStale(): Promise<void> {
    const keys = [...this.stale]
    this.stale.clear()
    try {
      await this.read(keys)
    } catch (error) {
      this.ctx.log.warn({ err: error, keys: keys.slice(0, MAX_NAMED) }, 'states could not be read')
    }
  }

  /** Reads the current values, with one call for each kind of topic, and tells the sockets that do not know them. */
  private async read(keys: Iterable<string>): Promise<void> {
    const kinds = new Map<ReadCurrent, string[]>()
    for (const key of keys) {
      const [any] = this.byKey.get(key) ?? []
      if (!any) continue
      const { readCurrent } = any.topic
      const known = kinds.get(readCurrent)
      if (known) known.push(key)
      else kinds.set(readCurrent, [key])
    }
    // At once, so that a kind whose reading is slow or fails holds up no other.
    const readings = await Promise.allSettled(
      [...kinds].map(async ([readCurrent, wanted]) => {
        const asOf = this.tick()
        for (const [key, value] of await readCurrent(this.ctx, wanted)) {
          const watches = this.byKey.get(key)
          if (watches) this.tell(watches, value, asOf)
        }
      }),
    )
    const failed = readings.find(({ status }) => status === 'rejected')
    if (failed) throw (failed as PromiseRejectedResult).reason
  }
}
