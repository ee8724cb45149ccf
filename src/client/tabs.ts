import { Backoff } from './backoff.ts'
import { clientOf, connect } from './connect.ts'
import { Connection } from './connection.ts'
import { Core } from './core.ts'
import { Credentials, SignedOut } from './credentials.ts'
import { Http } from './http.ts'
import type { LiveClient } from './live-client.ts'
import { type ConnectOptions, TIMING, type Timing } from './options.ts'
import { listenToPage } from './page.ts'
import { browserTabs, type TabMessage, type TabPlatform } from './tab-channel.ts'
import { TabFollower } from './tab-follower.ts'
import { TabGuests } from './tab-guests.ts'
import type { TopicSource } from './topics.ts'

/**
 * As `connect`, with one socket for all tabs of a browser in which the same user is signed in. Without Web Locks (pages over
 * plain HTTP, Node), or where the browser refuses them, each tab has its own.
 * @param timing for tests
 */
export function connectTabs(
  options: ConnectOptions,
  timing: Timing = TIMING,
  platform: TabPlatform | undefined = browserTabs(),
): LiveClient {
  if (!platform) return connect(options, timing)
  const core = new Core(options, timing)
  const credentials = new Credentials(options.token, core.report)
  const http = new Http(core, options, credentials, timing.openMs)
  return clientOf(core, http, () => new Tab(core, options, credentials, http, timing, platform))
}

type Sent = TabMessage & { from: string }

/** A tab: it leads, with a connection for all, or it follows the one that leads. */
class Tab {
  private readonly id = crypto.randomUUID()
  private name = ''
  /** The topics of this tab, while another one leads. */
  private readonly relay: TopicSource = {
    open: (topic, at, id) => this.post({ kind: 'open', topic, at, id }),
    close: (topic) => this.post({ kind: 'close', topic }),
  }
  private channel: InstanceType<TabPlatform['Channel']> | undefined
  /** Ends the tab's locks. */
  private readonly stopped = new AbortController()
  private connection: Connection | undefined
  private guests: TabGuests | undefined
  private follower: TabFollower | undefined
  private leader: string | undefined
  private helloTimer: ReturnType<typeof setTimeout> | undefined
  private stealTimer: ReturnType<typeof setTimeout> | undefined
  private readonly unlisten: (() => void)[]

  constructor(
    private readonly core: Core,
    private readonly options: ConnectOptions,
    private readonly credentials: Credentials,
    private readonly http: Http,
    private readonly timing: Timing,
    private readonly platform: TabPlatform,
  ) {
    this.unlisten = [
      core.onStatus((status) => {
        // The other tabs are not told, because each may have a session of its own and finds out by itself.
        if (status === 'signed-out') this.stop()
        else if (this.connection) this.tellState()
      }),
      listenToPage({
        back: () => this.follower && this.greet(),
        away: () => {},
        hidden: () => core.saver.flush(),
      }),
    ]
    void this.run()
  }

  retry(): void {
    if (this.connection) this.connection.retry()
    else this.post({ kind: 'retry' })
  }

  stop(): void {
    this.stopLeading()
    this.follower?.stop()
    this.core.topics.detach(this.relay)
    for (const end of this.unlisten) end()
    clearTimeout(this.helloTimer)
    clearTimeout(this.stealTimer)
    this.stopped.abort()
    this.channel?.close()
    this.channel = undefined
  }

  private async run(): Promise<void> {
    const { url } = this.options
    const user = await this.findUser()
    if (user === undefined || this.stopped.signal.aborted) return
    this.name = `roost ${url} ${user} ${this.core.language ?? ''}`
    try {
      this.channel = new this.platform.Channel(this.name)
    } catch {
      // A browser that stores nothing for this site may refuse it, and locks too: such a tab has a socket of its own.
      return this.lead()
    }
    this.channel.onmessage = ({ data }) => this.receive(data)
    // As long as the tab lives; then the leader forgets its topics.
    const isRefused = await this.hold(this.lifeOf(this.id), {}, () => {
      this.follow()
      this.queue(false)
    })
    if (isRefused && !this.stopped.signal.aborted) this.lead()
  }

  /** Whose tabs share a socket. */
  private async findUser(): Promise<string | undefined> {
    const backoff = new Backoff(this.timing.backoffMs, this.timing.backoffCapMs)
    for (;;) {
      try {
        return userOf(await this.credentials.get())
      } catch (error) {
        if (this.stopped.signal.aborted) return undefined
        this.core.show(error instanceof SignedOut ? 'signed-out' : 'offline')
        if (error instanceof SignedOut) return undefined
        await new Promise((resolve) => setTimeout(resolve, backoff.next()))
      }
    }
  }

  /** @param steal the tab that leads does not answer */
  private queue(steal: boolean): void {
    void this.hold(this.name, { steal }, () => this.lead()).then((isStolen) => {
      if (!isStolen || this.stopped.signal.aborted) return
      this.stopLeading()
      this.follow()
      this.queue(false)
    })
  }

  /** Holds a lock until the tab is closed. @returns whether another tab has taken it away, or the browser refuses it */
  private async hold(name: string, { steal = false }, begin: () => void): Promise<boolean> {
    const { signal } = this.stopped
    try {
      // A request that steals takes no signal.
      await this.platform.locks.request(name, steal ? { steal } : { signal }, async () => {
        if (signal.aborted) return
        begin()
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      })
      return false
    } catch {
      return true
    }
  }

  private lead(): void {
    const { core } = this
    this.follower?.stop()
    this.follower = undefined
    clearTimeout(this.helloTimer)
    clearTimeout(this.stealTimer)
    core.topics.detach(this.relay)
    this.leader = this.id
    this.guests = new TabGuests(
      core,
      this.platform.locks,
      (tab) => this.lifeOf(tab),
      (m) => this.post(m),
    )
    core.onReceived = (item) =>
      this.post(
        'event' in item ? { kind: 'event', event: item.event } : { kind: 'resync', cursor: item.cursor },
      )
    this.connection = new Connection(core, this.options, this.credentials, this.http, this.timing)
    this.tellState()
  }

  private stopLeading(): void {
    this.core.onReceived = () => {}
    this.connection?.stop()
    this.connection = undefined
    this.guests?.stop()
    this.guests = undefined
  }

  private follow(): void {
    this.leader = undefined
    this.follower = new TabFollower(this.core, this.http, this.timing)
    this.greet()
  }

  /** Asks who leads, now and then, and takes over from a tab that does not answer because the browser has frozen it. */
  private greet(): void {
    this.post({ kind: 'hello' })
    clearTimeout(this.helloTimer)
    this.stealTimer ??= setTimeout(() => this.queue(true), this.timing.pongMs)
    this.helloTimer = setTimeout(() => this.greet(), this.timing.pingMs)
  }

  private tellState(): void {
    const { status, retryAt, delivery } = this.core
    this.post({ kind: 'leader', status, retryAt, cursor: delivery.received })
  }

  private receive(message: Sent): void {
    if ('to' in message && message.to !== this.id) return
    if (this.connection) this.receiveAsLeader(message, this.connection)
    else if (this.follower) this.receiveAsFollower(message, this.follower)
  }

  private receiveAsLeader(message: Sent, connection: Connection): void {
    if (message.kind === 'hello') this.tellState()
    else if (message.kind === 'retry') connection.retry()
    else if (message.kind === 'open') this.guests?.open(message.from, message.topic, message.at, message.id)
    else if (message.kind === 'close') this.guests?.close(message.from, message.topic)
  }

  private receiveAsFollower(message: Sent, follower: TabFollower): void {
    const { topics } = this.core
    switch (message.kind) {
      case 'leader':
        clearTimeout(this.stealTimer)
        this.stealTimer = undefined
        if (this.leader !== message.from) {
          this.leader = message.from
          topics.attach(this.relay)
        }
        return follower.told(message.status, message.retryAt, message.cursor)
      case 'event':
        return follower.event(message.event)
      case 'resync':
        return follower.resync(message.cursor)
      case 'acknowledged':
        return topics.acknowledged(message.topic, message.id)
      case 'state':
        return topics.state(message.topic, message.state)
      case 'log':
        return topics.log(message.topic, message.line)
      case 'agent':
        return topics.agent(message.frame)
      case 'ended':
        return topics.ended(message.topic, message.error)
    }
  }

  private post(message: TabMessage): void {
    this.channel?.postMessage({ ...message, from: this.id })
  }

  private lifeOf(tab: string): string {
    return `${this.name} ${tab}`
  }
}

/** The user of an access token (RFC 7519). */
function userOf(token: string): string {
  try {
    return JSON.parse(atob(token.split('.')[1]!.replace(/-/g, '+').replace(/_/g, '/'))).sub
  } catch {
    return ''
  }
}
