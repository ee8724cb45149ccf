import type { Logger } from '../util/logger.ts'
import type { Hints } from './bus.ts'

type Handler = (hint: Hints[keyof Hints]) => void
type StateHandler = (key: string, value: object | undefined) => void

/** The part of a bus that is inside this process, the same for both forms. */
export class Dispatcher {
  readonly states = new Map<string, object>()
  readonly stateHandlers: StateHandler[] = []
  private readonly handlers = new Map<keyof Hints, Handler[]>()

  constructor(private readonly log: Logger) {}

  subscribe(channel: keyof Hints, handler: Handler): void {
    this.handlers.set(channel, [...(this.handlers.get(channel) ?? []), handler])
  }

  dispatch(channel: keyof Hints, hint: Hints[keyof Hints]): void {
    for (const handler of this.handlers.get(channel) ?? []) this.guarded(() => handler(hint))
  }

  setState(key: string, value: object | undefined): void {
    if (value) this.states.set(key, value)
    else this.states.delete(key)
    for (const handler of this.stateHandlers) this.guarded(() => handler(key, value))
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
