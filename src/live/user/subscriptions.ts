import type { Principal } from '../../core/accounts/principals.ts'
import type { Context } from '../../core/context.ts'
import { AppError } from '../../core/errors.ts'
import type { Language } from '../../core/messages.ts'
import type { ControlFrame } from '../../protocol/live/server-frames.ts'
import { openTopic } from '../topics/index.ts'
import { openTask, taskTopicName } from '../topics/task.ts'
import type { StateTopic, StreamPositions, StreamTopic, Topic } from '../topics/topic.ts'
import type { About } from './client-frames.ts'
import type { Watch, Watches } from './watches.ts'

const MAX_TOPICS = 500

/** The socket whose subscriptions these are. It must be signed in. */
export interface SubscribedSocket {
  readonly closed: boolean
  /** The client does not read. */
  readonly isBlocked: boolean
  readonly principal: Principal
  /** The language of the texts in frames. */
  readonly language: Language
  write(text: string): void
  send(frame: ControlFrame): void
  /** Sends an `error` frame. */
  fail(code: string, message: string, about: About): void
  /** Sends whatever is due. */
  pump(): void
}

/**
 * The topics of one socket. Of a state it keeps only the newest frame that was not sent, so that a client that does not read
 * costs one frame for each topic. A stream waits while the client does not read.
 */
export class Subscriptions {
  private readonly watches = new Map<string, Watch>()
  private readonly unsent = new Map<Watch, string>()
  private readonly streams = new Map<string, { topic: StreamTopic; stop: AbortController }>()
  /** Functions that resume the streams that wait until the client reads again. */
  private readonly paused: (() => void)[] = []

  constructor(
    private readonly ctx: Context,
    private readonly allWatches: Watches,
    private readonly socket: SubscribedSocket,
  ) {}

  /** @throws AppError NOT_FOUND */
  async subscribe(name: string, from: StreamPositions, about: About): Promise<void> {
    const { principal: who, language } = this.socket
    const topic = await openTopic({ ctx: this.ctx, who, name, from, language })
    if (!topic) return this.socket.fail('UNKNOWN_TOPIC', 'there is no such topic', about)
    this.socket.send({ type: 'subscribed', topic: name, ...idOf(about.id) })
    if (!('readCurrent' in topic)) return this.stream(topic, about)
    await this.watch(topic, about)
    // The permission ends both, and so does the end of what is watched.
    if ('follow' in topic && this.watches.has(name)) this.stream(topic, about)
  }

  /**
   * Like `subscribe` to the task's topic, but without the answer `subscribed`.
   * @throws AppError NOT_FOUND
   */
  async subscribeTask(id: string | number, about: About): Promise<void> {
    await this.watch(await openTask(this.ctx, this.socket.principal, id), about)
  }

  unsubscribe(name: string, id?: About['id']): void {
    const watch = this.watches.get(name)
    if (watch) this.forget(watch)
    this.streams.get(name)?.stop.abort()
    this.streams.delete(name)
    this.socket.send({ type: 'unsubscribed', topic: name, ...idOf(id) })
  }

  unsubscribeTask(id: string | number, about: About): void {
    this.unsubscribe(taskTopicName(id), about.id)
  }

  /** Ends what the user may no longer watch, and tells the client. */
  recheck(): void {
    // A topic may be in both.
    const topics = new Map<string, { topic: Topic }>([...this.streams, ...this.watches])
    for (const [name, { topic }] of topics) {
      if (!topic.permits(this.socket.principal)) this.unsubscribe(name)
    }
  }

  /** Sends what is due until the client stops reading. */
  pump(): void {
    for (const [watch, frame] of this.unsent) {
      if (this.socket.isBlocked) return
      this.unsent.delete(watch)
      watch.shown = frame
      this.socket.write(frame)
      this.ctx.metrics.statesSent.value++
    }
    for (const resume of this.paused.splice(0)) resume()
  }

  close(): void {
    for (const watch of this.watches.values()) this.allWatches.delete(watch)
    this.watches.clear()
    this.unsent.clear()
    for (const { stop } of this.streams.values()) stop.abort()
    this.streams.clear()
    for (const resume of this.paused.splice(0)) resume()
  }

  /** A second subscription to a stream replaces the first, because the client says anew where it stands. */
  private stream(topic: StreamTopic, about: About): void {
    // The role may have changed since the topic was opened.
    if (!topic.permits(this.socket.principal)) throw new AppError('NOT_FOUND')
    if (this.socket.closed || this.isFull(topic.name, about)) return
    this.streams.get(topic.name)?.stop.abort()
    const stop = new AbortController()
    this.streams.set(topic.name, { topic, stop })
    void this.pass(topic, stop.signal)
  }

  private async pass(topic: StreamTopic, signal: AbortSignal): Promise<void> {
    for await (const text of topic.follow(signal)) {
      while (this.socket.isBlocked && !signal.aborted) {
        await new Promise<void>((resume) => this.paused.push(resume))
      }
      if (signal.aborted) return
      this.socket.write(text)
    }
  }

  /** Sends the current value first. A change that arrives while the value is being read replaces it. */
  private async watch(topic: StateTopic, about: About): Promise<void> {
    // The role may have changed since the topic was opened.
    if (!topic.permits(this.socket.principal)) throw new AppError('NOT_FOUND')
    if (this.socket.closed || this.isFull(topic.name, about)) return
    const known = this.watches.get(topic.name)
    const watch = known ?? this.newWatch(topic)
    // A task has two ids: frames name the one that the client wrote last.
    watch.topic = topic
    // A client that subscribes again gets the current value again.
    watch.shown = undefined
    this.watches.set(topic.name, watch)
    this.allWatches.add(watch)
    const asOf = this.allWatches.tick()
    const current = await this.readCurrent(watch, known !== undefined)
    if (this.watches.get(topic.name) !== watch) return
    if (current) watch.changed(current, asOf)
    else this.unsubscribe(topic.name)
  }

  private newWatch(topic: StateTopic): Watch {
    let newest: object
    const watch: Watch = {
      topic,
      asOf: 0,
      shown: undefined,
      changed: (value, asOf) => {
        if (asOf < watch.asOf) return
        watch.asOf = asOf
        newest = value
        if (this.allWatches.takes(watch, value)) this.show(watch, value)
      },
      moved: () => {
        if (!watch.topic.isMoving?.(newest)) this.allWatches.stands(watch)
        this.show(watch, newest)
      },
    }
    return watch
  }

  /** A frame that was not sent yet is replaced by the newer one. */
  private show(watch: Watch, value: object): void {
    const frame = watch.topic.render(value)
    if (frame === (this.unsent.get(watch) ?? watch.shown)) return
    if (this.unsent.has(watch)) this.ctx.metrics.statesMerged.value++
    this.unsent.set(watch, frame)
    this.socket.pump()
  }

  /** A new watch whose value cannot be read is dropped, because the error tells the client to subscribe again. */
  private async readCurrent(watch: Watch, known: boolean): Promise<object | undefined> {
    const { topic } = watch
    try {
      return (await topic.readCurrent(this.ctx, [topic.key])).get(topic.key)
    } catch (error) {
      if (!known && this.watches.get(topic.name) === watch) this.forget(watch)
      throw error
    }
  }

  private forget(watch: Watch): void {
    this.watches.delete(watch.topic.name)
    this.unsent.delete(watch)
    this.allWatches.delete(watch)
  }

  private isFull(name: string, about: About): boolean {
    const names = new Set([...this.watches.keys(), ...this.streams.keys()])
    const full = !names.has(name) && names.size >= MAX_TOPICS
    if (full) this.socket.fail('TOO_MANY_TOPICS', `a socket may watch ${MAX_TOPICS} topics`, about)
    return full
  }
}

export const idOf = (id: About['id']) => (id === undefined ? {} : { id })
