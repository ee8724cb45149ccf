import type { Logger } from '../util/logger.ts'
import type { Hints } from './bus.ts'

type Handler = (hint: Hints[keyof Hints]) => void
type StateHandler = (key: string, value: object | undefined) => void

/** A state that nobody renews is gone after this; heartbeats and progress renew theirs all the time. */
export const STATE_TTL_MS = 10 * 60_000

/** The part of a bus that is inside this process, the same for both forms. */
export class Dispatcher {
  readonly stateHandlers: StateHandler[] = []
  /** The least recently renewed first. */
  private readonly states = new Map<string, { value: object; at: number }>()
  private readonly handlers = new Map<keyof Hints, Handler[]>()
  private readonly expiry: ReturnType<typeof setInterval>

  constructor(
    private readonly log: Logger,
    private readonly stateTtlMs = STATE_TTL_MS,
  ) {
    this.expiry = setInterval(() => this.expire(), stateTtlMs / 10)
    this.expiry.unref()
  }

  subscribe(channel: keyof Hints, handler: Handler): void {
    this.handlers.set(channel, [...(this.handlers.get(channel) ?? []), handler])
  }

  dispatch(channel: keyof Hints, hint: Hints[keyof Hints]): void {
    for (const handler of this.handlers.get(channel) ?? []) this.guarded(() => handler(hint))
  }

  getState(key: string): object | undefined {
    return this.states.get(key)?.value
  }

  /** How long ago this server heard the state, in ms. */
  stateAge(key: string): number | undefined {
    const state = this.states.get(key)
    return state && performance.now() - state.at
  }

  setState(key: string, value: object | undefined): void {
    this.states.delete(key)
    if (value) this.states.set(key, { value, at: performance.now() })
    for (const handler of this.stateHandlers) this.guarded(() => handler(key, value))
  }

  close(): void {
    clearInterval(this.expiry)
  }

  /** Whoever would have ended these is gone, or its hint was lost. */
  private expire(): void {
    const before = performance.now() - this.stateTtlMs
    for (const [key, { at }] of this.states) {
      if (at > before) return
      this.setState(key, undefined)
    }
  }

  /** A listener's fault must not reach whoever published: that has already committed. */
  private guarded(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.log.error({ err: error }, 'a bus listener failed')
    }
  }
}
