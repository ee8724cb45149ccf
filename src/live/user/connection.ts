import type { ServerWebSocket } from 'bun'
import type { Principal } from '../../core/accounts/principals.ts'
import type { Context } from '../../core/context.ts'
import { databaseFault } from '../../core/database-faults.ts'
import { AppError } from '../../core/errors.ts'
import { type Language, message as textOf } from '../../core/messages.ts'
import { CLOSE } from '../../protocol/close-codes.ts'
import {
  type ClientFrame,
  MAX_CLIENT_FRAME_BYTES,
  MAX_STRANGER_FRAME_BYTES,
  PROTOCOL_VERSION,
} from '../../protocol/live/client-frames.ts'
import { formatCursor } from '../../protocol/live/cursor.ts'
import type { ControlFrame } from '../../protocol/live/server-frames.ts'
import { Rate } from '../../util/rate.ts'
import { closeSocket } from '../close-socket.ts'
import { Pulse } from '../keep-alive.ts'
import type { StreamPositions } from '../topics/topic.ts'
import { type About, parseClientFrame } from './client-frames.ts'
import type { Hub } from './hub.ts'
import { Outbox, type OutboxSocket } from './outbox.ts'
import { type SignIn, signInByToken } from './sign-in.ts'
import { idOf, type SubscribedSocket, Subscriptions } from './subscriptions.ts'

/** Most bytes of answers that wait for a client that does not read. */
const MAX_BUFFERED_ANSWERS = 64 * 1024
const FRAME_BURST = 300
const FRAMES_PER_SECOND = 30

/** What the upgrade request said. */
export interface ConnectionStart {
  signedIn: SignIn | undefined
  /** The client's address. */
  address: string
  /** The request had a credential that is not valid. */
  refused: boolean
  cursor: string | undefined
  topics: string[]
  /** Of the topics. */
  from: StreamPositions
  /** The language of the texts in events. */
  language: Language
}

/**
 * One socket of a user: a position in the log (`outbox.ts`) and topics (`subscriptions.ts`). It queues no frames of its own:
 * while the client does not read, nothing is sent, and afterwards the socket goes on from the log and the newest states.
 */
export class Connection implements OutboxSocket, SubscribedSocket {
  readonly id = Bun.randomUUIDv7()
  ws!: ServerWebSocket<Connection>
  signedIn: SignIn | undefined
  /** Undefined until the socket has its position in the user's channel. */
  outbox: Outbox | undefined
  readonly openedAt = performance.now()
  readonly pulse = new Pulse()
  /** Since when the client has not been reading; undefined: it reads. */
  blockedSince: number | undefined
  warnedOfExpiry = false
  closed = false
  private readonly ctx: Context
  private readonly subscriptions: Subscriptions
  private readonly budget = new Rate(FRAMES_PER_SECOND, FRAME_BURST)
  /** The server handles frames one after the other. The budget limits how many wait. */
  private handling: Promise<void> = Promise.resolve()

  constructor(
    private readonly hub: Hub,
    readonly start: ConnectionStart,
  ) {
    this.ctx = hub.ctx
    this.subscriptions = new Subscriptions(hub.ctx, hub.watches, this)
  }

  get isBlocked(): boolean {
    return this.blockedSince !== undefined
  }

  get language(): Language {
    return this.start.language
  }

  /** The user. The socket must be signed in. */
  get principal(): Principal {
    return this.signedIn!.principal
  }

  open(ws: ServerWebSocket<Connection>): void {
    this.ws = ws
    if (this.start.refused) return this.end(CLOSE.unauthenticated, 'not signed in')
    if (this.hub.draining) return this.end(CLOSE.restarting, 'restarting')
    this.hub.add(this)
    if (this.start.signedIn) this.enqueue(() => this.begin(this.start.signedIn!))
  }

  message(_ws: unknown, data: string | Buffer): void {
    this.pulse.heard()
    if (!this.budget.take()) return this.end(CLOSE.tooManyFrames, 'too many frames')
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

  /** The client has answered a ping. */
  pong(): void {
    this.pulse.heard()
  }

  /** The client has sent a ping. */
  ping(): void {
    this.pulse.heard()
  }

  sendPing(): void {
    this.ws.ping()
  }

  /** Bun calls this when the socket has taken bytes that waited. */
  drain(): void {
    // The client reads, so it is there.
    this.pulse.heard()
    if (this.ws.getBufferedAmount() > 0) return
    this.blockedSince = undefined
    this.pump()
  }

  /** Sends whatever is due, events first, until the client stops reading. */
  pump(): void {
    if (!this.closed && this.outbox?.pump()) this.subscriptions.pump()
  }

  send(frame: ControlFrame): void {
    if (this.closed) return
    if (this.ws.getBufferedAmount() > MAX_BUFFERED_ANSWERS) return this.end(CLOSE.tooSlow, 'too slow')
    this.write(JSON.stringify(frame))
  }

  write(text: string): void {
    // -1: Bun has taken the frame, but the client lags. 0: not taken, which here only happens on a dead socket.
    if (this.ws.send(text) === -1) this.blockedSince ??= performance.now()
  }

  fail(code: string, message: string, about: About = {}): void {
    this.send({ type: 'error', code, message, ...about })
  }

  /** The same user with newer data: what the user may no longer watch ends. */
  renew(signedIn: SignIn): void {
    this.signedIn = signedIn
    this.subscriptions.recheck()
  }

  /** The socket is gone. */
  close(): void {
    if (this.closed) return
    this.closed = true
    this.hub.remove(this)
    this.subscriptions.close()
  }

  /** Closes the socket with one of the CLOSE codes. */
  end(code: number, reason: string): void {
    if (this.closed) return
    this.close()
    this.ctx.metrics.socketsClosed.of('user', String(code)).value++
    closeSocket(this.ws, code, reason)
  }

  /** The client answers no ping. It may come back and go on from its cursor. */
  giveUp(): void {
    this.end(CLOSE.tooSlow, 'no answer')
  }

  /** The socket has not signed in, and others need its place. */
  endAsStranger(): void {
    this.end(CLOSE.authTimeout, 'too many sockets that have not signed in')
  }

  /** @param about what an error frame repeats */
  private enqueue(run: () => Promise<void>, about: About = {}): void {
    this.handling = this.handling.then(async () => {
      if (this.closed) return
      try {
        await run()
      } catch (error) {
        this.failed(error, about)
      }
    })
  }

  private failed(error: unknown, about: About): void {
    if (error instanceof AppError) {
      return this.fail(error.code, textOf(error.code, 'en', error.params), about)
    }
    this.ctx.log.warn({ err: error }, 'a frame could not be handled')
    // Without a position in its channel the socket would never send an event.
    if (!this.outbox) return this.end(CLOSE.restarting, 'try again')
    const { code, params } = databaseFault(error) ?? new AppError('INTERNAL')
    const frame = { type: 'error' as const, code, message: textOf(code, 'en', params), ...about }
    this.send(code === 'DATABASE_UNAVAILABLE' ? { ...frame, retryable: true } : frame)
  }

  /** The socket is signed in: sends `welcome` and goes on from the cursor. */
  private async begin(signedIn: SignIn): Promise<void> {
    this.signedIn = signedIn
    const { userId } = signedIn.principal
    const channel = await this.hub.join(this, userId)
    if (!channel || this.closed) return
    const position = await this.hub.channels.resume(channel, this.start.cursor)
    if (this.closed) return
    const sent = typeof position === 'number' ? position : channel.head!
    const cursor = formatCursor(this.ctx.epoch, sent)
    this.send({
      type: 'welcome',
      protocol: PROTOCOL_VERSION,
      connection_id: this.id,
      user_id: userId,
      cursor,
      head: formatCursor(this.ctx.epoch, channel.head!),
      expires_at: new Date(signedIn.expiresAt).toISOString(),
    })
    if (typeof position !== 'number') this.send({ type: 'resync', cursor, reason: position })
    this.outbox = new Outbox(this.ctx, channel, this, sent)
    this.pump()
    const { topics, from } = this.start
    for (const topic of topics) {
      this.enqueue(() => this.subscriptions.subscribe(topic, from, { topic }), { topic })
    }
  }

  private async handle(frame: ClientFrame, about: About): Promise<void> {
    if (frame.type === 'auth') return this.authenticate(frame.token)
    if (frame.type === 'ping') return this.answerPing(about)
    if (!this.signedIn) return this.fail('AUTHENTICATION_REQUIRED', 'send an auth frame first', about)
    switch (frame.type) {
      case 'subscribe':
        return this.subscriptions.subscribe(
          frame.topic,
          { agentSeq: frame.agent_seq, logPosition: frame.log_position },
          about,
        )
      case 'unsubscribe':
        return this.subscriptions.unsubscribe(frame.topic, about.id)
      case 'subscribe_task':
        return this.subscriptions.subscribeTask(frame.task_id, about)
      case 'unsubscribe_task':
        return this.subscriptions.unsubscribeTask(frame.task_id, about)
    }
  }

  /** A client that has not got every event up to the cursor has lost one on the way. */
  private answerPing({ id }: About): void {
    const cursor = this.outbox && { cursor: formatCursor(this.ctx.epoch, this.outbox.sent) }
    this.send({ type: 'pong', ...cursor, ...idOf(id) })
  }

  private async authenticate(token: string): Promise<void> {
    // From here on the socket is no stranger: the check of its token ends with a sign-in or with its end.
    this.hub.strangers.delete(this)
    const signedIn = await signInByToken(this.ctx, token)
    if (!signedIn) return this.end(CLOSE.unauthenticated, 'the token is not valid')
    if (!this.signedIn) return this.begin(signedIn)
    if (signedIn.principal.userId !== this.signedIn.principal.userId) {
      return this.end(CLOSE.forbidden, 'a socket belongs to one user')
    }
    this.renew(signedIn)
    this.warnedOfExpiry = false
  }
}
