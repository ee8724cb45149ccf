import type { Logger } from '../util/logger.ts'
import type { Hint } from './bus.ts'

type Handler = (payload: unknown) => void
type StateHandler = (key: string, value: object | undefined) => void

/** A state that no server renews ends after this time; heartbeats and progress renew theirs all the time. */
export const STATE_TTL_MS = 10 * 60_000

/** The listeners and states of this process: the part that the embedded bus and the bus over Redis share. */
export class LocalBus {
  readonly stateHandlers: StateHandler[] = []
  /** The least recently renewed first. */
  private readonly states = new Map<string, { value: object; at: number }>()
  /** By the name of the hint. */
  private readonly handlers = new Map<string, Handler[]>()
  private readonly expiry: ReturnType<typeof setInterval>

  constructor(
    private readonly log: Logger,
    private readonly stateTtlMs = STATE_TTL_MS,
  ) {
    this.expiry = setInterval(() => this.expire(), stateTtlMs / 10)
    this.expiry.unref()
  }

  subscribe<T>({ name }: Hint<T>, handler: (payload: T) => void): void {
    this.handlers.set(name, [...(this.handlers.get(name) ?? []), handler as Handler])
  }

  /** Calls the handlers of the hint with this name, which may come from another server. */
  deliver(name: string, payload: unknown): void {
    for (const handler of this.handlers.get(name) ?? []) this.guarded(() => handler(payload))
  }

  getState(key: string): object | undefined {
    return this.states.get(key)?.value
  }

  /** How long ago this server received the state, in ms. */
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

  /** Removes states that no server renews: their server was killed, or its message of their removal was lost. */
  private expire(): void {
    const before = performance.now() - this.stateTtlMs
    for (const [key, { at }] of this.states) {
      if (at > before) return
      this.setState(key, undefined)
    }
  }

  /** A listener that throws must not make the publisher fail, because the publisher's change has committed already. */
  private guarded(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.log.error({ err: error }, 'a bus listener failed')
    }
  }
}
