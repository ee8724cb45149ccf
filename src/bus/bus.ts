/**
 * What several servers tell each other. Everything here may be lost without harm: a hint only hastens what a query of
 * the database would find, and a state is replaced by its next value.
 */

import type { Counter } from '../util/counters.ts'

/** A kind of hint. A domain declares its hints with {@link defineHint}, beside what publishes them. */
export interface Hint<T> {
  /** Of the channel on Redis. */
  readonly name: string
  /** Never set: it only lets the type checker know what a hint carries. */
  readonly payload?: T
}

export const defineHint = <T>(name: string): Hint<T> => ({ name })

export interface Bus {
  readonly kind: 'embedded' | 'redis'
  /** Tells every server, this one first and synchronously. */
  publish<T>(hint: Hint<T>, payload: NoInfer<T>): void
  subscribe<T>(hint: Hint<T>, handler: (payload: T) => void): void

  /** The newest value of a topic, kept by every server for some minutes; undefined removes it. */
  setState(key: string, value: object | undefined): void
  getState(key: string): object | undefined
  /** How long ago this server received that state, in ms. */
  stateAge(key: string): number | undefined
  onState(handler: (key: string, value: object | undefined) => void): void

  /** Keeps a short-lived value that can be taken once. */
  put(key: string, value: string, ttlMs: number): Promise<void>
  take(key: string): Promise<string | undefined>
  /**
   * Adds one to a counter that begins with its first increment and ends `windowMs` later. The counter stops at `max`:
   * `count` is then `max + 1`.
   */
  increment(key: string, windowMs: number, max: number): Counter | Promise<Counter>
  /** Takes one back; a counter at zero is removed. */
  decrement(key: string): void | Promise<void>

  /** The handler is called when hints may have been lost, because Redis was away. */
  onGap(handler: () => void): void
  /** Round trip in milliseconds. */
  ping(): Promise<number>
  close(): Promise<void>
}
