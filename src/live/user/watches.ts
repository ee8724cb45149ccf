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
}

/** Knows which sockets of this server watch which state, and tells them when it changes. */
export class Watches {
  private readonly byKey = new Map<string, Set<Watch>>()
  private readonly delayed = new Map<string, ReturnType<typeof setTimeout>>()
  private clock = 0

  constructor(private readonly ctx: Context) {
    ctx.bus.onState((key, value) => this.stateChanged(key, value))
    for (const kind of TOPIC_KINDS) kind.listen?.(ctx, (key, delayMs) => this.dirty(key, delayMs))
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
    for (const timer of this.delayed.values()) clearTimeout(timer)
    this.delayed.clear()
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
    this.read([key]).catch((error) => {
      this.ctx.log.warn({ err: error, key }, 'a state could not be read')
    })
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
