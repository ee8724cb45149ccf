import type { EventType } from '../protocol/live/events.ts'
import type { ResyncReason } from '../protocol/live/server-frames.ts'
import { Delivery, type Item, type Receiver } from './delivery.ts'
import type {
  AnyLiveEvent,
  LiveEvent,
  Status,
  Stop,
  TopicState,
  ViewOptions,
  WatchOptions,
} from './live-client.ts'
import type { ConnectOptions, Timing } from './options.ts'
import { each, guarded, type Report, report } from './report.ts'
import { CursorSaver } from './saver.ts'
import { Topics } from './topics.ts'
import { View } from './view.ts'

type Handler = (event: AnyLiveEvent) => void | Promise<void>

/** What the application has registered, and how far it has come. Connections bring the rest. */
export class Core implements Receiver {
  status: Status = 'connecting'
  retryAt: number | undefined
  readonly delivery = new Delivery(this)
  readonly topics: Topics
  readonly saver: CursorSaver
  readonly report: Report
  language: ConnectOptions['language']
  /** The handlers have come further. */
  onAdvanced = () => {}
  onReceived: (item: Item) => void = () => {}
  private readonly handlers = new Map<EventType | '*', Set<Handler>>()
  private readonly statusHandlers = new Set<(status: Status) => void>()
  private readonly resyncHandlers = new Set<(reason: ResyncReason) => void>()
  private readonly views = new Set<View>()
  private positioned!: () => void
  private readonly hasPosition = new Promise<void>((resolve) => {
    this.positioned = resolve
  })

  constructor(options: ConnectOptions, timing: Timing) {
    this.language = options.language
    this.report = (error) => guarded(() => (options.onError ?? report)(error), report)
    this.topics = new Topics(this.report)
    this.saver = new CursorSaver(options.cursors, timing.saveMs, this.report)
  }

  get isOver(): boolean {
    return this.status === 'signed-out' || this.status === 'closed'
  }

  /** The first position: from here on the application misses nothing. */
  begin(cursor: string): void {
    this.delivery.begin(cursor)
    this.saver.advanced(cursor)
    this.positioned()
  }

  show(status: Status, retryAt?: number): void {
    if (this.isOver && status !== 'closed') return
    this.retryAt = retryAt
    if (status === this.status) return
    this.status = status
    for (const handler of each(this.statusHandlers)) guarded(() => handler(status), this.report)
  }

  /** The server answers again. */
  reconnected(): void {
    for (const view of this.views) view.reconnected()
  }

  received(item: Item): void {
    this.onReceived(item)
  }

  async event(event: AnyLiveEvent): Promise<void> {
    for (const view of each(this.views)) view.handle(event)
    for (const type of [event.type, '*'] as const)
      for (const handler of each(this.handlersOf(type))) {
        try {
          await handler(event)
        } catch (error) {
          this.report(error)
        }
      }
  }

  resync(reason: ResyncReason): void {
    for (const handler of each(this.resyncHandlers)) guarded(() => handler(reason), this.report)
    for (const view of each(this.views)) view.resync()
  }

  advanced(): void {
    this.saver.advanced(this.delivery.cursor!)
    this.onAdvanced()
  }

  onStatus(handler: (status: Status) => void): Stop {
    return added(this.statusHandlers, handler)
  }

  on<T extends EventType>(type: T | '*', handler: (event: LiveEvent<T>) => void | Promise<void>): Stop {
    return added(this.handlersOf(type), handler as unknown as Handler)
  }

  onResync(handler: (reason: ResyncReason) => void): Stop {
    return added(this.resyncHandlers, handler)
  }

  watch<Name extends string>(
    topic: Name,
    handler: (state: TopicState<Name>) => void,
    options: WatchOptions = {},
  ): Stop {
    return this.topics.watch(topic, handler, options)
  }

  view(options: ViewOptions): Stop & { reload(): Promise<void> } {
    const view = new View(options, this.hasPosition, this.report)
    this.views.add(view)
    void view.reload()
    const stop = () => {
      this.views.delete(view)
      view.stop()
    }
    return Object.assign(stop, { reload: () => view.reload() })
  }

  /** Nothing is called any more. */
  stop(): void {
    this.saver.flush()
    this.delivery.stop()
    this.topics.stop()
    for (const view of this.views) view.stop()
    this.views.clear()
    for (const handlers of this.handlers.values()) handlers.clear()
    this.resyncHandlers.clear()
    this.show('closed')
    this.statusHandlers.clear()
  }

  private handlersOf(type: EventType | '*'): Set<Handler> {
    const known = this.handlers.get(type)
    if (known) return known
    const handlers = new Set<Handler>()
    this.handlers.set(type, handlers)
    return handlers
  }
}

/** The same function may be added twice: each has its own end. */
function added<H extends (value: never) => unknown>(handlers: Set<H>, handler: H): Stop {
  const own = ((value: never) => handler(value)) as H
  handlers.add(own)
  return () => {
    handlers.delete(own)
  }
}
