import type { AnyLiveEvent, ViewOptions } from './live-client.ts'
import { guarded, type Report } from './report.ts'

/** Events that wait while a view loads. With more, what it loads is too old, and it loads again. */
const MOST = 1000

/** What a page shows: fetched once, and kept up to date by events. */
export class View {
  /** The view shows everything up to some position, and got every event after it. */
  private isWhole = false
  private loading: Promise<void> | undefined
  private again = false
  private waiting: AnyLiveEvent[] = []
  private abort = new AbortController()
  private stopped = false

  /** @param positioned resolves when the client knows its position, after which it misses no event */
  constructor(
    private readonly options: ViewOptions,
    private readonly positioned: Promise<void>,
    private readonly report: Report,
  ) {}

  handle(event: AnyLiveEvent): void {
    if (!this.options.on?.[event.type]) return
    if (!this.loading) {
      if (this.isWhole) this.apply(event)
    } else if (this.waiting.length < MOST) this.waiting.push(event)
    else {
      this.waiting = []
      this.isWhole = false
      this.again = true
    }
  }

  /** A load that runs already is superseded. */
  reload(): Promise<void> {
    if (this.loading) {
      this.again = true
      this.abort.abort()
    }
    this.loading ??= this.run()
    return this.loading
  }

  /** Events are missing. */
  resync(): void {
    this.isWhole = false
    void this.reload()
  }

  /** The server answers again: a view that could not be loaded is loaded now. */
  reconnected(): void {
    if (!this.isWhole && !this.loading) void this.reload()
  }

  stop(): void {
    this.stopped = true
    this.abort.abort()
  }

  private async run(): Promise<void> {
    await this.positioned
    let failure: { error: unknown } | undefined
    do {
      if (this.stopped) return
      this.again = false
      this.abort = new AbortController()
      failure = undefined
      try {
        await this.options.load(this.abort.signal)
      } catch (error) {
        failure = { error }
      }
    } while (this.again)
    if (this.stopped) return
    const { waiting } = this
    this.waiting = []
    this.loading = undefined
    if (failure) {
      const { error } = failure
      guarded(() => (this.options.onError ?? this.report)(error), this.report)
    } else this.isWhole = true
    // A reload that fails leaves what the view showed, which the events go on from.
    if (this.isWhole) for (const event of waiting) this.apply(event)
  }

  private apply(event: AnyLiveEvent): void {
    if (this.stopped) return
    const handler = this.options.on?.[event.type] as ((event: AnyLiveEvent) => void) | undefined
    guarded(() => handler?.(event), this.report)
  }
}
