import { userOfSession, userOfToken } from '../../core/accounts/access-tokens.ts'
import type { Principal } from '../../core/accounts/principals.ts'
import { eventsHint } from '../../core/channel/hints.ts'
import { channelHead, channelHeads, oldestEvent } from '../../core/channel/log.ts'
import type { Context } from '../../core/context.ts'
import { AppError } from '../../core/errors.ts'
import { CLOSE } from '../../protocol/close-codes.ts'
import { parseCursor } from '../cursor.ts'
import { KEEP_ALIVE, KeepAlive, type KeepAliveTiming } from '../keep-alive.ts'
import { LiveChannel } from './channel.ts'
import type { Connection, SignedInSocket } from './connection.ts'
import { ChannelReader } from './reader.ts'
import { Strangers } from './strangers.ts'
import { Watches } from './watches.ts'

const MAX_CONNECTIONS_PER_USER = 20
/** Requests of one user that wait for events or stream them. */
const MAX_READERS_PER_USER = 20
/** How many more may wait until it is known which of those do not answer. */
const MAX_WAITING_PER_USER = 20
const AUTH_MS = 10_000
const EXPIRY_WARNING_MS = 60_000
/** A client that has not read for this long is sent away; the log keeps everything for its return. */
const STALLED_MS = 30_000
const SWEEP_MS = 1000
/** How late an event may be when its hint was lost. */
const POLL_MS = 2000
const RECONNECT_SPREAD_MS = 3000
const DRAIN_MS = 500

/**
 * All user sockets of this server. The log is the truth: hints wake channels, and a poll finds what hints missed.
 * State reaches watchers of its key.
 */
export class Hub {
  draining = false
  readonly strangers = new Strangers()
  private readonly connections = new Set<Connection>()
  private readonly channels = new Map<number, LiveChannel>()
  private readonly readers = new Set<ChannelReader>()
  readonly watches: Watches
  private readonly timers: ReturnType<typeof setInterval>[]
  private wanted = new Map<number, Pick<PromiseWithResolvers<void>, 'resolve' | 'reject'>[]>()
  private loadingHeads = false
  private polling = false
  private readonly keepAlive: KeepAlive<Connection>

  constructor(
    readonly ctx: Context,
    private readonly timing: KeepAliveTiming = KEEP_ALIVE,
  ) {
    ctx.bus.subscribe(eventsHint, (events) => {
      const touched = new Set<LiveChannel>()
      for (const event of events) {
        const channel = this.channels.get(event.userId)
        channel?.offer(event)
        if (channel) touched.add(channel)
      }
      for (const channel of touched) pumpAll(channel)
    })
    this.watches = new Watches(ctx)
    ctx.bus.onGap(() => void this.poll())
    ctx.services.principals.onChange((change) => void this.recheck(change))
    this.keepAlive = new KeepAlive(this.connections, timing, (connection) => connection.giveUp())
    this.timers = [setInterval(() => this.sweep(), SWEEP_MS), setInterval(() => this.poll(), POLL_MS)]
  }

  /** Every open socket. */
  all(): Iterable<Connection> {
    return this.connections
  }

  async authenticate(token: string): Promise<SignedInSocket | undefined> {
    const user = await userOfToken(this.ctx, token)
    return typeof user === 'string' ? undefined : this.signIn(user.principal, user.claims.expiresAt * 1000)
  }

  /** @param expiresAt when the access token ends, ms since the epoch */
  async forSession(sessionId: string, expiresAt: number): Promise<SignedInSocket | undefined> {
    const principal = await userOfSession(this.ctx, sessionId)
    return principal && this.signIn(principal, expiresAt)
  }

  /** @param expiresAt when the access token ends, ms since the epoch */
  signIn(principal: Principal, expiresAt: number): SignedInSocket {
    return { principal, expiresAt, endsAt: performance.now() + expiresAt - Date.now() }
  }

  add(connection: Connection): void {
    this.connections.add(connection)
    if (!connection.start.signedIn) this.strangers.add(connection, connection.start.address)
  }

  remove(connection: Connection): void {
    this.connections.delete(connection)
    this.strangers.delete(connection)
    const userId = connection.signedIn?.principal.userId
    const channel = userId === undefined ? undefined : this.channels.get(userId)
    channel?.connections.delete(connection)
    channel?.waiting.delete(connection)
    if (channel) this.dropIdle(channel)
  }

  /** @returns the user's channel with its head known; undefined when the socket was or is closed instead */
  async join(connection: Connection, userId: number): Promise<LiveChannel | undefined> {
    // It may have closed while its token was checked. Nobody would take it out again.
    if (connection.closed) return undefined
    const channel = this.channel(userId)
    const isFull = () => channel.connections.size >= MAX_CONNECTIONS_PER_USER
    const silent = isFull() ? await this.findSilent(channel, connection) : []
    if (connection.closed) return undefined
    while (isFull() && silent.length > 0) silent.pop()!.giveUp()
    if (isFull()) {
      connection.end(CLOSE.tooManyConnections, 'too many connections')
      return undefined
    }
    // In the set before its head is read: from here on no hint passes it by.
    channel.waiting.delete(connection)
    channel.connections.add(connection)
    if (channel.head === undefined) await this.loadHead(userId)
    return channel
  }

  /**
   * Lets a request wait for events of a user; to be disposed of.
   * @throws AppError RATE_LIMITED too many of this user's do
   */
  async read(signedIn: SignedInSocket): Promise<ChannelReader> {
    const { userId } = signedIn.principal
    const channel = this.channel(userId)
    if (channel.readers.size >= MAX_READERS_PER_USER) {
      throw new AppError('RATE_LIMITED', { params: { seconds: 5, limit: MAX_READERS_PER_USER } })
    }
    const reader = new ChannelReader(signedIn, channel, () => {
      channel.readers.delete(reader)
      this.readers.delete(reader)
      this.dropIdle(channel)
    })
    channel.readers.add(reader)
    this.readers.add(reader)
    if (this.draining) reader.end('restarting')
    try {
      if (channel.head === undefined) await this.loadHead(userId)
      return reader
    } catch (error) {
      reader[Symbol.dispose]()
      throw error
    }
  }

  private dropIdle(channel: LiveChannel): void {
    const { userId } = channel
    if (channel.isIdle && this.channels.get(userId) === channel) this.channels.delete(userId)
  }

  private channel(userId: number): LiveChannel {
    let channel = this.channels.get(userId)
    if (!channel) {
      channel = new LiveChannel(userId, this.ctx.epoch)
      this.channels.set(userId, channel)
    }
    return channel
  }

  /** Asks all sockets of a user whether they are there. */
  private async findSilent(channel: LiveChannel, connection: Connection): Promise<Connection[]> {
    if (channel.waiting.size >= MAX_WAITING_PER_USER) return []
    channel.waiting.add(connection)
    channel.probe ??= this.probe(channel).finally(() => {
      channel.probe = undefined
    })
    return channel.probe
  }

  /** @returns the sockets that did not answer, the longest silent one last; whoever waited takes from them */
  private async probe(channel: LiveChannel): Promise<Connection[]> {
    const askedAt = performance.now()
    const asked = [...channel.connections]
    const answers = asked.map((connection) => {
      connection.sendPing()
      return connection.pulse.next(this.timing.probeMs)
    })
    await Promise.all(answers)
    const silent = asked.filter(({ pulse }) => pulse.heardAt < askedAt)
    return silent.sort((a, b) => b.pulse.heardAt - a.pulse.heardAt)
  }

  /**
   * Where a client with this cursor goes on.
   * @returns a sequence number; or why the client has to fetch anew
   */
  async resume(
    channel: LiveChannel,
    cursor: string | undefined,
  ): Promise<number | 'epoch' | 'unknown' | 'expired'> {
    const head = channel.head!
    if (cursor === undefined) return head
    const seq = parseCursor(this.ctx.epoch, cursor)
    if (typeof seq !== 'number' || seq === head) return seq
    if (seq > head) {
      // A client that comes from another server may have seen what this one has not heard of yet.
      channel.advance(await channelHead(this.ctx, channel.userId))
      pumpAll(channel)
      return seq <= channel.head! ? seq : 'unknown'
    }
    const oldest = await oldestEvent(this.ctx, channel.userId)
    return oldest !== undefined && oldest <= seq + 1 ? seq : 'expired'
  }

  /** Tells every client when to come back, then closes their sockets. */
  async drain(): Promise<void> {
    if (this.draining) return
    this.draining = true
    for (const connection of this.connections) {
      connection.send({
        type: 'draining',
        reconnect_after_ms: reconnectDelay(),
      })
    }
    for (const reader of this.readers) reader.end('restarting')
    if (this.connections.size > 0) await Bun.sleep(DRAIN_MS)
    for (const connection of [...this.connections]) connection.end(CLOSE.restarting, 'restarting')
    for (const timer of this.timers) clearInterval(timer)
    this.keepAlive.close()
    this.watches.close()
  }

  /** Many sockets that open at once, as after a restart, share one query. */
  private loadHead(userId: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.wanted.set(userId, [...(this.wanted.get(userId) ?? []), { resolve, reject }])
    if (!this.loadingHeads) void this.loadHeads()
    return promise
  }

  private async loadHeads(): Promise<void> {
    this.loadingHeads = true
    // Whoever asks in the same turn joins the batch.
    await Promise.resolve()
    while (this.wanted.size > 0) {
      const batch = this.wanted
      this.wanted = new Map()
      try {
        const heads = await channelHeads(this.ctx, [...batch.keys()])
        for (const [userId, waiting] of batch) {
          this.channels.get(userId)?.begin(heads.get(userId) ?? 0)
          for (const { resolve } of waiting) resolve()
        }
      } catch (error) {
        for (const waiting of batch.values()) for (const { reject } of waiting) reject(error)
      }
    }
    this.loadingHeads = false
  }

  /** Finds events and states whose hint was lost, and sessions that other servers ended. */
  private async poll(): Promise<void> {
    // A database that hangs would otherwise find one more of them every time.
    if (this.polling) return
    this.polling = true
    try {
      await this.ctx.services.principals.poll()
      await this.pollHeads()
      // Nobody else writes to the embedded database: what changes there is told here.
      if (this.ctx.config.databaseUrl) await this.watches.poll()
    } catch (error) {
      this.ctx.log.debug({ err: error }, 'polling the channel log and states failed')
    } finally {
      this.polling = false
    }
  }

  private async pollHeads(): Promise<void> {
    const known = [...this.channels.values()].filter((channel) => channel.head !== undefined)
    if (known.length === 0) return
    const heads = await channelHeads(
      this.ctx,
      known.map((channel) => channel.userId),
    )
    for (const channel of known) {
      channel.advance(heads.get(channel.userId) ?? 0)
      pumpAll(channel)
    }
  }

  private async recheck(change: { userId: number; sessionId?: string }): Promise<void> {
    const channel = this.channels.get(change.userId)
    if (!channel) return
    for (const connection of [...channel.connections, ...channel.waiting]) {
      let known: SignedInSocket
      let still: SignedInSocket | undefined
      // Again when an `auth` frame came meanwhile: what it brought must not be undone, and may be of before the change.
      do {
        known = connection.signedIn!
        const { sessionId } = known.principal
        if (change.sessionId && change.sessionId !== sessionId) still = known
        else still = await this.renewed(known).catch(() => known)
      } while (connection.signedIn !== known)
      if (!still) connection.end(CLOSE.forbidden, 'the session has ended')
      else if (still !== known) connection.renew(still)
    }
    for (const reader of channel.readers) {
      const { sessionId } = reader.signedIn.principal
      if (change.sessionId && change.sessionId !== sessionId) continue
      const still = await this.renewed(reader.signedIn).catch(() => reader.signedIn)
      if (!still) reader.end('signed_out')
    }
  }

  /** The same sign-in with its user as they are now; undefined when the session has ended. */
  private async renewed(signedIn: SignedInSocket): Promise<SignedInSocket | undefined> {
    const principal = await userOfSession(this.ctx, signedIn.principal.sessionId)
    return principal && { ...signedIn, principal }
  }

  private sweep(): void {
    const now = performance.now()
    for (const reader of this.readers) if (reader.signedIn.endsAt <= now) reader.end('expired')
    for (const connection of this.connections) {
      const { signedIn, blockedSince } = connection
      if (!signedIn) {
        if (now - connection.openedAt > AUTH_MS) connection.end(CLOSE.authTimeout, 'no auth frame in time')
      } else if (signedIn.endsAt <= now) {
        connection.end(CLOSE.unauthenticated, 'the token has expired')
      } else if (blockedSince !== undefined && now - blockedSince > STALLED_MS) {
        connection.end(CLOSE.tooSlow, 'too slow')
      } else if (!connection.warnedOfExpiry && signedIn.endsAt - now < EXPIRY_WARNING_MS) {
        connection.warnedOfExpiry = true
        connection.send({ type: 'auth_expiring', expires_at: new Date(signedIn.expiresAt).toISOString() })
      }
    }
  }
}

/** Not all clients are to come back at the same moment. */
export const reconnectDelay = (): number => Math.floor(Math.random() * RECONNECT_SPREAD_MS)

function pumpAll(channel: LiveChannel): void {
  for (const reader of channel.readers) reader.wake()
  let behind = false
  for (const connection of channel.connections) {
    connection.pump()
    if (connection.sent !== channel.head) behind = true
  }
  if (!behind) channel.forgetTail()
}
