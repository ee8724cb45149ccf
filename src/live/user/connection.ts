import type { ServerWebSocket } from 'bun'
import type { Principal } from '../../core/accounts/principals.ts'
import { readEvents } from '../../core/channel/log.ts'
import { databaseFault } from '../../core/database-faults.ts'
import { AppError } from '../../core/errors.ts'
import { type Language, message as textOf } from '../../core/messages.ts'
import { CLOSE } from '../../protocol/close-codes.ts'
import {
  type ClientFrame,
  MAX_CLIENT_FRAME_BYTES,
  MAX_STRANGER_FRAME_BYTES,
} from '../../protocol/live/client-frames.ts'
import type { ControlFrame } from '../../protocol/live/server-frames.ts'
import { formatCursor } from '../cursor.ts'
import { FrameBudget } from '../frame-budget.ts'
import { Pulse } from '../keep-alive.ts'
import { openTopic } from '../topics/index.ts'
import { openTask, taskTopicName } from '../topics/task.ts'
import type { StateTopic, StreamTopic } from '../topics/topic.ts'
import { eventFrame, type LiveChannel } from './channel.ts'
import { type About, parseClientFrame } from './client-frames.ts'
import type { Hub } from './hub.ts'
import type { Watch } from './watches.ts'

export interface SignedInSocket {
  principal: Principal
  /** When the access token ends, ms since the epoch; this is shown. */
  expiresAt: number
  /** The same by the monotonic clock, which ends the socket. */
  endsAt: number
}

/** A catch-up page. Frames are at most some 20 KB, so a page is too little to hurt and enough to be quick. */
const PAGE = 50
/** Answers that a client does not read may pile up to this. */
const MAX_BUFFERED_ANSWERS = 64 * 1024
const CLOSE_GRACE_MS = 5000
const MAX_TOPICS = 500
const FRAME_BURST = 300
const FRAMES_PER_SECOND = 30

/**
 * One socket of a user: a position in the log and a set of dirty keys. It keeps no frames of its own: while the
 * client does not read, nothing is sent, and on drain it goes on from the log and the newest state.
 *
 * Hand-over: `sent` is the last event that went out. As long as it lags behind the channel's head, the next event
 * comes from the channel's tail when it is there and from a page of the log otherwise; both are numbered without
 * gaps, so the cut-over from one to the other needs no lock and can neither skip nor repeat.
 */
export class Connection {
  readonly id = Bun.randomUUIDv7()
  ws!: ServerWebSocket<Connection>
  signedIn: SignedInSocket | undefined
  channel: LiveChannel | undefined
  /** Sequence number of the last event sent. */
  sent = 0
  readonly openedAt = performance.now()
  readonly pulse = new Pulse()
  /** Since when the client has not been reading; undefined: it reads. */
  blockedSince: number | undefined
  warnedOfExpiry = false
  closed = false
  private readonly watches = new Map<string, Watch>()
  private readonly streams = new Map<string, AbortController>()
  /** Streams that wait until the client reads again. */
  private readonly paused: (() => void)[] = []
  private readonly dirty = new Map<Watch, string>()
  private readonly budget = new FrameBudget(FRAME_BURST, FRAMES_PER_SECOND)
  private catchingUp = false
  /** Frames are handled one after the other; the budget bounds how many wait. */
  private handling: Promise<void> = Promise.resolve()

  constructor(
    private readonly hub: Hub,
    readonly start: {
      signedIn: SignedInSocket | undefined
      /** Of the client. */
      address: string
      refused: boolean
      cursor: string | undefined
      topics: string[]
      agentSeq: number | undefined
      /** Of the words in events. */
      language: Language
    },
  ) {}

  open(ws: ServerWebSocket<Connection>): void {
    this.ws = ws
    if (this.start.refused) return this.end(CLOSE.unauthenticated, 'not signed in')
    if (this.hub.draining) return this.end(CLOSE.restarting, 'restarting')
    this.hub.add(this)
    if (this.start.signedIn) this.enqueue(() => this.begin(this.start.signedIn!))
  }

  message(_ws: unknown, data: string | Buffer): void {
    this.pulse.heard()
    if (!this.budget.spend()) return this.end(CLOSE.tooManyFrames, 'too many frames')
    const most = this.signedIn ? MAX_CLIENT_FRAME_BYTES : MAX_STRANGER_FRAME_BYTES
    if (Buffer.byteLength(data) > most) return this.end(CLOSE.frameTooLarge, `frames may have ${most} bytes`)
    const read = parseClientFrame(data)
    if ('malformed' in read) {
      this.fail('BAD_FRAME', 'a frame is a JSON object with a type, sent as text')
      return this.end(CLOSE.badFrame, 'bad frame')
    }
    const { about } = read
    if ('problem' in read) return this.fail('BAD_FRAME', read.problem, about)
    this.enqueue(() => this.handle(read.frame, about), about)
  }

  /** The client has answered a ping, or sends pings of its own. */
  pong(): void {
    this.pulse.heard()
  }

  ping(): void {
    this.pulse.heard()
  }

  sendPing(): void {
    this.ws.ping()
  }

  drain(): void {
    // It has taken something, so it reads.
    this.pulse.heard()
    if (this.ws.getBufferedAmount() > 0) return
    this.blockedSince = undefined
    this.pump()
  }

  /** Sends whatever is due, until the client stops reading. */
  pump(): void {
    if (this.closed || !this.channel || this.catchingUp) return
    const head = this.channel.head ?? this.sent
    while (this.sent < head && this.blockedSince === undefined) {
      const frame = this.channel.frame(this.sent + 1, this.start.language)
      if (frame === undefined) {
        void this.catchUp()
        return
      }
      this.sent++
      this.write(frame)
    }
    for (const [watch, frame] of this.dirty) {
      if (this.blockedSince !== undefined) return
      this.dirty.delete(watch)
      watch.shown = frame
      this.write(frame)
    }
    for (const go of this.paused.splice(0)) go()
  }

  /** A value of something watched; an older one that has not been sent yet is replaced. */
  changed(watch: Watch, value: object, asOf: number): void {
    if (asOf < watch.asOf) return
    watch.asOf = asOf
    const frame = watch.topic.render(value)
    if (frame === (this.dirty.get(watch) ?? watch.shown)) return
    this.dirty.set(watch, frame)
    this.pump()
  }

  send(frame: ControlFrame): void {
    if (this.closed) return
    if (this.ws.getBufferedAmount() > MAX_BUFFERED_ANSWERS) return this.end(CLOSE.tooSlow, 'too slow')
    this.write(JSON.stringify(frame))
  }

  /** The same user, newly checked: what they may no longer watch ends, and they are told. */
  renew(signedIn: SignedInSocket): void {
    this.signedIn = signedIn
    for (const { topic } of [...this.watches.values()]) {
      if (!topic.permits(signedIn.principal)) this.unsubscribe(topic.name)
    }
  }

  /** The socket is gone. */
  close(): void {
    if (this.closed) return
    this.closed = true
    this.hub.remove(this)
    for (const watch of this.watches.values()) this.hub.watches.delete(watch)
    this.watches.clear()
    this.dirty.clear()
    for (const stop of this.streams.values()) stop.abort()
    this.streams.clear()
    for (const go of this.paused.splice(0)) go()
  }

  /** Closes the socket with one of the CLOSE codes. */
  end(code: number, reason: string): void {
    if (this.closed) return
    this.close()
    this.ws.close(code, reason)
    // The close frame waits behind what the client does not read.
    if (this.ws.getBufferedAmount() > 0) setTimeout(() => this.ws.terminate(), CLOSE_GRACE_MS).unref()
  }

  /** The other end answers nothing; it may come back and go on from its cursor. */
  giveUp(): void {
    this.end(CLOSE.tooSlow, 'no answer')
  }

  /** It has not signed in, and others need its place. */
  endAsStranger(): void {
    this.end(CLOSE.authTimeout, 'too many sockets that have not signed in')
  }

  private write(text: string): void {
    // -1: taken, but the client lags; 0: not taken, which only a dead socket does here.
    if (this.ws.send(text) === -1) this.blockedSince ??= performance.now()
  }

  private fail(code: string, message: string, about: About = {}): void {
    this.send({ type: 'error', code, message, ...about })
  }

  /** @param about what the client is told with an error */
  private enqueue(run: () => Promise<void>, about: About = {}): void {
    this.handling = this.handling.then(async () => {
      if (this.closed) return
      try {
        await run()
      } catch (error) {
        if (error instanceof AppError) {
          return this.fail(error.code, textOf(error.code, 'en', error.params), about)
        }
        this.hub.ctx.log.warn({ err: error }, 'a frame could not be handled')
        // Without a position in its channel it would hear nothing, for ever.
        if (!this.channel) return this.end(CLOSE.restarting, 'try again')
        const { code, params } = databaseFault(error) ?? new AppError('INTERNAL')
        const retryable = code === 'DATABASE_UNAVAILABLE'
        this.send({
          ...{ type: 'error', code, message: textOf(code, 'en', params), ...about },
          ...(retryable && { retryable }),
        })
      }
    })
  }

  /** The socket is signed in: say hello and go on from the cursor. */
  private async begin(signedIn: SignedInSocket): Promise<void> {
    this.signedIn = signedIn
    const { userId } = signedIn.principal
    const channel = await this.hub.join(this, userId)
    if (!channel || this.closed) return
    const epoch = this.hub.ctx.epoch
    const position = await this.hub.resume(channel, this.start.cursor)
    if (this.closed) return
    this.sent = typeof position === 'number' ? position : channel.head!
    this.send({
      type: 'welcome',
      protocol: 1,
      connection_id: this.id,
      user_id: userId,
      cursor: formatCursor(epoch, this.sent),
      expires_at: new Date(signedIn.expiresAt).toISOString(),
    })
    if (typeof position !== 'number') {
      this.send({ type: 'resync', cursor: formatCursor(epoch, this.sent), reason: position })
    }
    this.channel = channel
    this.pump()
    const { topics, agentSeq } = this.start
    for (const topic of topics) this.enqueue(() => this.subscribe(topic, agentSeq, { topic }), { topic })
  }

  private async handle(frame: ClientFrame, about: About): Promise<void> {
    if (frame.type === 'auth') return this.authenticate(frame.token)
    if (frame.type === 'ping') return this.send({ type: 'pong', ...idOf(about.id) })
    if (!this.signedIn) return this.fail('AUTHENTICATION_REQUIRED', 'send an auth frame first', about)
    switch (frame.type) {
      case 'subscribe':
        return this.subscribe(frame.topic, frame.agent_seq, about)
      case 'unsubscribe':
        return this.unsubscribe(frame.topic, about.id)
      case 'subscribe_task': {
        const topic = await openTask(this.hub.ctx, this.signedIn.principal, frame.task_id)
        return this.watch(topic, about)
      }
      case 'unsubscribe_task':
        return this.unsubscribe(taskTopicName(frame.task_id), about.id)
    }
  }

  private async authenticate(token: string): Promise<void> {
    // From here on it is checked, and then signed in or closed.
    this.hub.strangers.delete(this)
    const signedIn = await this.hub.authenticate(token)
    if (!signedIn) return this.end(CLOSE.unauthenticated, 'the token is not valid')
    if (!this.signedIn) return this.begin(signedIn)
    if (signedIn.principal.userId !== this.signedIn.principal.userId) {
      return this.end(CLOSE.forbidden, 'a socket belongs to one user')
    }
    this.renew(signedIn)
    this.warnedOfExpiry = false
  }

  private async subscribe(name: string, agentSeq: number | undefined, about: About): Promise<void> {
    const topic = await openTopic({ ctx: this.hub.ctx, who: this.signedIn!.principal, name, agentSeq })
    if (!topic) return this.fail('UNKNOWN_TOPIC', 'there is no such topic', about)
    this.send({ type: 'subscribed', topic: name, ...idOf(about.id) })
    if ('follow' in topic) this.stream(topic, about)
    else await this.watch(topic, about)
  }

  /** A second subscription replaces the first: the client says anew where it stands. */
  private stream(topic: StreamTopic, about: About): void {
    if (this.closed || this.isFull(topic.name, about)) return
    this.streams.get(topic.name)?.abort()
    const stop = new AbortController()
    this.streams.set(topic.name, stop)
    void this.pass(topic, stop.signal)
  }

  private async pass(topic: StreamTopic, signal: AbortSignal): Promise<void> {
    for await (const text of topic.follow(signal)) {
      while (this.blockedSince !== undefined && !signal.aborted) {
        await new Promise<void>((go) => this.paused.push(go))
      }
      if (signal.aborted) return
      this.write(text)
    }
  }

  private isFull(name: string, about: About): boolean {
    const full =
      !this.watches.has(name) &&
      !this.streams.has(name) &&
      this.watches.size + this.streams.size >= MAX_TOPICS
    if (full) this.fail('TOO_MANY_TOPICS', `a socket may watch ${MAX_TOPICS} topics`, about)
    return full
  }

  /** The present value first; changes from now on replace it, should they be quicker. */
  private async watch(topic: StateTopic, about: About): Promise<void> {
    // Their role may have changed since the topic was opened.
    if (!topic.permits(this.signedIn!.principal)) throw new AppError('NOT_FOUND')
    if (this.closed || this.isFull(topic.name, about)) return
    const known = this.watches.get(topic.name)
    const watch = known ?? this.newWatch(topic)
    // Another writing of the same id: frames name it as it was written last.
    watch.topic = topic
    // Who asks again gets the present value again.
    watch.shown = undefined
    this.watches.set(topic.name, watch)
    this.hub.watches.add(watch)
    const asOf = this.hub.watches.tick()
    const present = await this.look(watch, known !== undefined)
    if (this.watches.get(topic.name) !== watch) return
    if (present) this.changed(watch, present, asOf)
    else this.unsubscribe(topic.name)
  }

  private newWatch(topic: StateTopic): Watch {
    const watch: Watch = {
      topic,
      asOf: 0,
      shown: undefined,
      changed: (value, asOf) => this.changed(watch, value, asOf),
    }
    return watch
  }

  /** A new watch whose first look fails is none: the client is told to ask again. */
  private async look(watch: Watch, known: boolean): Promise<object | undefined> {
    const { topic } = watch
    try {
      return (await topic.readCurrent(this.hub.ctx, [topic.key])).get(topic.key)
    } catch (error) {
      if (!known && this.watches.get(topic.name) === watch) {
        this.watches.delete(topic.name)
        this.dirty.delete(watch)
        this.hub.watches.delete(watch)
      }
      throw error
    }
  }

  private unsubscribe(name: string, id?: About['id']): void {
    const watch = this.watches.get(name)
    if (watch) {
      this.watches.delete(name)
      this.dirty.delete(watch)
      this.hub.watches.delete(watch)
    }
    this.streams.get(name)?.abort()
    this.streams.delete(name)
    this.send({ type: 'unsubscribed', topic: name, ...idOf(id) })
  }

  /** Sends from the log until the tail takes over or the client stops reading; what it can't send is read again. */
  private async catchUp(): Promise<void> {
    this.catchingUp = true
    try {
      const channel = this.channel!
      while (!this.closed && this.blockedSince === undefined && this.sent < channel.head!) {
        if (channel.has(this.sent + 1)) break
        const page = await readEvents(this.hub.ctx, channel.userId, this.sent, PAGE)
        if (this.closed) return
        if (page[0]?.seq !== this.sent + 1) {
          this.sent = channel.head!
          this.send({
            type: 'resync',
            cursor: formatCursor(this.hub.ctx.epoch, this.sent),
            reason: 'expired',
          })
          break
        }
        for (const event of page) {
          if (this.blockedSince !== undefined) break
          this.sent = event.seq
          this.write(eventFrame(this.hub.ctx.epoch, event, this.start.language))
        }
        // The log may be ahead of every hint.
        channel.advance(this.sent)
      }
    } catch (error) {
      this.hub.ctx.log.warn({ err: error }, 'the channel log could not be read; the poll tries again')
      return
    } finally {
      this.catchingUp = false
    }
    this.pump()
  }
}

const idOf = (id: About['id']) => (id === undefined ? {} : { id })
