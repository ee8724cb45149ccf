import { CLOSE } from '../protocol/close-codes.ts'
import { Backoff } from './backoff.ts'
import type { Core } from './core.ts'
import { type Credentials, SignedOut } from './credentials.ts'
import { type Http, Refusal } from './http.ts'
import { HttpLink } from './http-link.ts'
import type { ConnectOptions, SocketClass, Timing } from './options.ts'
import { listenToPage } from './page.ts'
import { firstPosition } from './position.ts'
import { type LinkEnd, SocketLink } from './socket-link.ts'
import { TopicPolls } from './topic-polls.ts'

/** When the next attempt begins. `signed-out`: never. */
type Next = 'now' | 'soon' | 'slowly' | 'signed-out' | { afterMs: number }

/** The server would refuse the next attempt too: the client tells the application, and tries again much later. */
const SLOWLY: number[] = [CLOSE.badFrame, CLOSE.frameTooLarge, CLOSE.tooManyFrames, CLOSE.tooManyConnections]

/** How a token is renewed when that fails at first. */
const RENEW_AGAIN_MS = 5000

/** Keeps a connection open: a WebSocket, and requests over HTTP where those are blocked. */
export class Connection {
  private readonly backoff: Backoff
  private readonly sockets: SocketClass | undefined
  private link: SocketLink | undefined
  /** The newest event of the channel when the last socket began: with it the client has caught up. */
  private head: string | undefined
  private stopped = false
  /** Attempts since the last `welcome` that never got one. */
  private unopened = 0
  private isConnected = false
  private isPolling = false
  private failed = false
  /** What the application was told since the last connection: at each further try it would be told the same. */
  private told = ''
  private retryAt: number | undefined
  private graceUntil = 0
  private graceTimer: ReturnType<typeof setTimeout> | undefined
  private wake = () => {}
  private readonly unlisten: () => void

  constructor(
    private readonly core: Core,
    private readonly options: ConnectOptions,
    private readonly credentials: Credentials,
    private readonly http: Http,
    private readonly timing: Timing,
  ) {
    this.backoff = new Backoff(timing.backoffMs, timing.backoffCapMs)
    this.sockets = options.WebSocket ?? (globalThis as { WebSocket?: SocketClass }).WebSocket
    core.onAdvanced = () => this.show()
    this.unlisten = listenToPage({
      back: () => this.retry(),
      away: () => this.link?.check(),
      hidden: () => core.saver.flush(),
    })
    void this.run()
  }

  /** Tries now, or asks whether the open connection is still there. */
  retry(): void {
    this.link?.check()
    this.backoff.reset()
    this.wake()
  }

  stop(): void {
    this.stopped = true
    clearTimeout(this.graceTimer)
    this.unlisten()
    this.link?.end(0, 'closed')
    this.wake()
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      let next: Next
      try {
        next = await this.attempt()
      } catch (error) {
        next = this.afterFailure(error)
      }
      if (this.stopped) return
      this.disconnected()
      if (next === 'signed-out') {
        this.stop()
        return this.core.show('signed-out')
      }
      this.failed ||= next === 'slowly'
      await this.pause(this.delayOf(next))
    }
  }

  /** One connection, from its beginning to its end. */
  private async attempt(): Promise<Next> {
    await this.findPosition()
    await this.core.delivery.room()
    // Throws when the server answers no requests either: then it is away, and nothing blocks WebSockets.
    const blocked = this.unopened > 0 || !this.sockets
    if (blocked) await this.http.json('/api/events')
    if (this.stopped) return 'now'
    if (this.sockets) {
      const link = await this.openSocket(this.sockets)
      if (await link.welcomed) return this.follow(link)
      const end = await link.done
      if (this.stopped) return 'now'
      const answered = end.code >= 4000 || end.code === CLOSE.restarting
      this.unopened = answered ? 0 : this.unopened + 1
      this.failed ||= !answered
      if (answered || !blocked) return this.after(end)
    }
    return this.poll()
  }

  private async findPosition(): Promise<void> {
    const { core, http } = this
    if (core.delivery.received !== undefined) return
    const cursor = await firstPosition(core, http)
    if (!this.stopped && core.delivery.received === undefined) core.begin(cursor)
  }

  private async openSocket(sockets: SocketClass): Promise<SocketLink> {
    const token = await this.credentials.get()
    const link = new SocketLink(this.core, this.timing, sockets, this.options.url, token)
    this.link = link
    link.onExpiring = () => void this.renew(link, token)
    void link.done.then(({ code }) => {
      if (this.link === link) this.link = undefined
      if (code === CLOSE.unauthenticated) this.credentials.refuse(token)
    })
    if (this.stopped) link.end(0, 'closed')
    return link
  }

  private async follow(link: SocketLink): Promise<Next> {
    const { core } = this
    this.head = link.head
    this.unopened = 0
    const openedAt = performance.now()
    const before = core.delivery.received
    core.topics.attach(link, link.named)
    this.connected()
    const end = await link.done
    core.topics.detach(link)
    const steady = performance.now() - openedAt > this.timing.steadyMs
    if (steady || core.delivery.received !== before) this.backoff.reset()
    return this.after(end)
  }

  /** WebSockets are blocked: requests over HTTP bring the events, until an attempt succeeds again. */
  private async poll(): Promise<Next> {
    const { core, http, timing } = this
    const link = new HttpLink(core, http, timing)
    const polls = new TopicPolls(core, http, timing.pollMs)
    this.isPolling = true
    this.head = undefined
    core.topics.attach(polls)
    this.connected()
    try {
      for (let attempt = 0; !this.stopped; attempt++) {
        const { probeMs } = timing
        const waited = this.pause(probeMs[Math.min(attempt, probeMs.length - 1)]!)
        const ended = await Promise.race([link.done, waited])
        this.wake()
        if (ended) return ended.error === undefined ? this.after(ended) : this.afterFailure(ended.error)
        if (!this.sockets || this.stopped) continue
        const socket = await this.openSocket(this.sockets)
        if (!(await socket.welcomed)) continue
        link.stop()
        polls.stop()
        this.isPolling = false
        return await this.follow(socket)
      }
      return 'now'
    } finally {
      link.stop()
      polls.stop()
      core.topics.detach(polls)
      this.isPolling = false
    }
  }

  private async renew(link: SocketLink, old: string): Promise<void> {
    try {
      const token = await this.credentials.get()
      if (token !== old) link.renew(token)
    } catch {
      // The server closes the socket when the old token ends; until then there may be a new one.
      setTimeout(() => this.link === link && void this.renew(link, old), RENEW_AGAIN_MS)
    }
  }

  private after({ code, reason, reconnectAfter }: LinkEnd): Next {
    if (reconnectAfter !== undefined) return { afterMs: reconnectAfter }
    if (code === CLOSE.forbidden) return 'signed-out'
    if (SLOWLY.includes(code)) {
      this.tell(`the server has closed the connection: ${reason} (${code})`)
      return 'slowly'
    }
    return code === CLOSE.tooSlow ? 'now' : 'soon'
  }

  private afterFailure(error: unknown): Next {
    this.failed = true
    if (error instanceof SignedOut) return 'signed-out'
    if (!(error instanceof Refusal)) return 'soon'
    const { status, code, message, retryAfter } = error
    if (retryAfter !== undefined) return { afterMs: retryAfter }
    // Perhaps the URL leads to another server.
    if (status < 500) this.tell(`${this.options.url} refuses: ${message} (${code})`)
    return 'soon'
  }

  private tell(message: string): void {
    if (message !== this.told) this.core.report(new Error(message))
    this.told = message
  }

  private delayOf(next: Exclude<Next, 'signed-out'>): number {
    if (next === 'now') return 0
    if (next === 'soon') return this.backoff.next()
    if (next === 'slowly') return this.timing.slowMs * (0.5 + Math.random() / 2)
    return next.afterMs
  }

  private async pause(ms: number): Promise<undefined> {
    this.retryAt = Date.now() + ms
    this.show()
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.retryAt = undefined
    this.show()
  }

  private connected(): void {
    this.isConnected = true
    this.failed = false
    this.told = ''
    this.show()
    this.core.reconnected()
  }

  /** A cut is not shown at once: most are over before a person could read of them. */
  private disconnected(): void {
    if (this.isConnected) {
      this.isConnected = false
      this.graceUntil = performance.now() + this.timing.graceMs
      clearTimeout(this.graceTimer)
      this.graceTimer = setTimeout(() => this.show(), this.timing.graceMs)
    }
  }

  private show(): void {
    const { core, head } = this
    if (this.stopped) return
    if (this.isConnected) {
      const caughtUp = head === undefined || core.delivery.hasHandled(head)
      return core.show(this.isPolling ? 'polling' : caughtUp ? 'live' : 'catching-up')
    }
    if (performance.now() < this.graceUntil) return
    if (this.failed) core.show('offline', this.retryAt)
    else core.show('connecting')
  }
}
