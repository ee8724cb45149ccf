import type { PrincipalChange } from '../../core/accounts/hints.ts'
import type { Context } from '../../core/context.ts'
import { AppError } from '../../core/errors.ts'
import { CLOSE } from '../../protocol/close-codes.ts'
import { KEEP_ALIVE, KeepAlive, type KeepAliveTiming } from '../keep-alive.ts'
import type { LiveChannel } from './channel.ts'
import { Channels } from './channels.ts'
import type { Connection } from './connection.ts'
import { takePlace } from './connection-limit.ts'
import { ChannelReader } from './reader.ts'
import { renewSignIn, type SignIn } from './sign-in.ts'
import { Strangers } from './strangers.ts'
import { Watches } from './watches.ts'

/** Requests of one user that wait for events or stream them. */
const MAX_READERS_PER_USER = 20
const AUTH_MS = 10_000
const EXPIRY_WARNING_MS = 60_000
/** The server closes a socket whose client has not read for this time. The client may reconnect and go on from its cursor. */
const STALLED_MS = 30_000
const SWEEP_MS = 1000
/** How late an event may be when its hint was lost. */
const POLL_MS = 2000
/** How late the end of a session may be on another server when its hint was lost. */
const SESSION_POLL_MS = 400
/** After a failure of the database. */
const RECHECK_MS = 1000
const RECONNECT_SPREAD_MS = 3000
const DRAIN_MS = 500

/** All sockets of users on this server, and the HTTP requests that wait for events. */
export class Hub {
  draining = false
  readonly strangers = new Strangers()
  private readonly connections = new Set<Connection>()
  readonly channels: Channels
  private readonly readers = new Set<ChannelReader>()
  readonly watches: Watches
  private readonly timers: ReturnType<typeof setInterval>[]
  private polling = false
  private sessionPoll: Promise<void> | undefined
  private readonly keepAlive: KeepAlive<Connection>

  constructor(
    readonly ctx: Context,
    private readonly timing: KeepAliveTiming = KEEP_ALIVE,
  ) {
    this.channels = new Channels(ctx)
    this.watches = new Watches(ctx)
    ctx.bus.onGap(() => {
      void this.pollSessions()
      void this.poll()
    })
    ctx.services.principals.onChange((change) => void this.recheck(change))
    this.keepAlive = new KeepAlive(this.connections, timing, (connection) => connection.giveUp())
    this.timers = [setInterval(() => this.sweep(), SWEEP_MS), setInterval(() => this.poll(), POLL_MS)]
    // No other server writes to the embedded database.
    if (ctx.config.databaseUrl) {
      this.timers.push(setInterval(() => void this.pollSessions(), SESSION_POLL_MS))
    }
  }

  /** Every open socket. */
  all(): Iterable<Connection> {
    return this.connections
  }

  get size(): number {
    return this.connections.size
  }

  add(connection: Connection): void {
    this.connections.add(connection)
    if (!connection.start.signedIn) this.strangers.add(connection, connection.start.address)
  }

  remove(connection: Connection): void {
    this.connections.delete(connection)
    this.strangers.delete(connection)
    const userId = connection.signedIn?.principal.userId
    const channel = userId === undefined ? undefined : this.channels.find(userId)
    if (!channel) return
    channel.connections.delete(connection)
    channel.waiting.delete(connection)
    this.channels.dropIdle(channel)
  }

  /**
   * @returns the user's channel with its head known; undefined when the socket has closed, or when the server closed it
   * because the user has too many
   */
  async join(connection: Connection, userId: number): Promise<LiveChannel | undefined> {
    // The socket may have closed while its token was checked. Nothing would remove it again.
    if (connection.closed) return undefined
    const channel = this.channels.open(userId)
    if (!(await takePlace(channel, connection, this.timing.probeMs))) {
      connection.end(CLOSE.tooManyConnections, 'too many connections')
      return undefined
    }
    // The head is read after the socket has joined, so that no hint is missed from here on.
    await this.channels.loadHead(channel)
    return channel
  }

  /**
   * Lets an HTTP request wait for events of its user. The caller disposes of the reader.
   * @throws AppError RATE_LIMITED when too many requests of the user wait
   */
  async read(signedIn: SignIn): Promise<ChannelReader> {
    const channel = this.channels.open(signedIn.principal.userId)
    if (channel.readers.size >= MAX_READERS_PER_USER) {
      throw new AppError('RATE_LIMITED', { params: { seconds: 5, limit: MAX_READERS_PER_USER } })
    }
    const reader = new ChannelReader(signedIn, channel, () => {
      channel.readers.delete(reader)
      this.readers.delete(reader)
      this.channels.dropIdle(channel)
    })
    channel.readers.add(reader)
    this.readers.add(reader)
    if (this.draining) reader.end('restarting')
    try {
      await this.channels.loadHead(channel)
      return reader
    } catch (error) {
      reader[Symbol.dispose]()
      throw error
    }
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

  /** Finds events and states whose hint was lost. */
  private async poll(): Promise<void> {
    // A database that hangs must not get one more poll every other second.
    if (this.polling) return
    this.polling = true
    try {
      await this.channels.poll()
      // No other server writes to the embedded database, so that no hint is lost.
      if (this.ctx.config.databaseUrl) await this.watches.poll()
    } catch (error) {
      this.ctx.log.debug({ err: error }, 'polling the channel log and states failed')
    } finally {
      this.polling = false
    }
  }

  /** Finds sessions that other servers ended, and users whom they changed. */
  private pollSessions(): Promise<void> {
    this.sessionPoll ??= this.ctx.services.principals
      .poll()
      .catch((error) => {
        this.ctx.log.debug({ err: error }, 'polling the sessions failed')
      })
      .finally(() => {
        this.sessionPoll = undefined
      })
    return this.sessionPoll
  }

  private async recheck(change: PrincipalChange): Promise<void> {
    const channel = this.channels.find(change.userId)
    if (!channel) return
    let failed = false
    const renew = (known: SignIn): Promise<SignIn | undefined> =>
      renewSignIn(this.ctx, known).catch(() => {
        failed = true
        return known
      })
    for (const connection of [...channel.connections, ...channel.waiting]) {
      let known: SignIn
      let still: SignIn | undefined
      // Repeat when an `auth` frame came meanwhile: its sign-in must stay, and may be older than the change.
      do {
        known = connection.signedIn!
        const { sessionId } = known.principal
        if (change.sessionId && change.sessionId !== sessionId) still = known
        else still = await renew(known)
      } while (connection.signedIn !== known)
      if (!still) connection.end(CLOSE.forbidden, 'the session has ended')
      else if (still !== known) connection.renew(still)
    }
    for (const reader of channel.readers) {
      const { sessionId } = reader.signedIn.principal
      if (change.sessionId && change.sessionId !== sessionId) continue
      const still = await renew(reader.signedIn)
      if (!still) reader.end('signed_out')
    }
    // Nobody tells of the change a second time.
    if (failed) setTimeout(() => void this.recheck(change), RECHECK_MS).unref()
  }

  private sweep(): void {
    const now = performance.now()
    const { lastSeen } = this.ctx.services
    for (const reader of this.readers) {
      if (reader.signedIn.endsAt <= now) reader.end('expired')
      else lastSeen.mark(reader.signedIn.principal.sessionId)
    }
    for (const connection of this.connections) {
      const { signedIn, blockedSince } = connection
      if (!signedIn) {
        if (now - connection.openedAt > AUTH_MS) connection.end(CLOSE.authTimeout, 'no auth frame in time')
        continue
      }
      lastSeen.mark(signedIn.principal.sessionId)
      if (signedIn.endsAt <= now) {
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

/** A random delay, so that not all clients come back at the same moment. */
export const reconnectDelay = (): number => Math.floor(Math.random() * RECONNECT_SPREAD_MS)
