import { Backoff } from './backoff.ts'
import type { Core } from './core.ts'
import { SignedOut } from './credentials.ts'
import type { Http } from './http.ts'
import type { AnyLiveEvent, Status } from './live-client.ts'
import type { Timing } from './options.ts'
import { firstPosition } from './position.ts'

const PAGE = 500

/**
 * The channel as another tab tells it. This tab has a position of its own: it drops what it knows, and fetches what it has
 * missed from the server.
 */
export class TabFollower {
  private leader: { status: Status; retryAt: number | undefined } | undefined
  /** The newest position that the leader has named. */
  private wanted: string | undefined
  private isUnsure = false
  private isBehind = false
  private stopped = false
  private wake = () => {}

  constructor(
    private readonly core: Core,
    private readonly http: Http,
    private readonly timing: Timing,
  ) {
    core.onAdvanced = () => {}
  }

  /** The leader's state. */
  told(status: Status, retryAt: number | undefined, cursor: string | undefined): void {
    const wasAway = !isConnected(this.leader?.status)
    this.leader = { status, retryAt }
    if (cursor !== undefined) this.reach(cursor)
    this.show()
    if (wasAway && isConnected(status)) this.core.reconnected()
  }

  event(event: AnyLiveEvent): void {
    const { delivery } = this.core
    if (this.isBehind || delivery.isFull || delivery.take(event) === 'lost') this.reach(event.cursor)
  }

  resync(cursor: string): void {
    this.isUnsure = true
    this.reach(cursor)
  }

  stop(): void {
    this.stopped = true
    this.wake()
  }

  private reach(cursor: string): void {
    this.wanted = cursor
    if (this.isBehind || this.hasAll()) return
    this.isBehind = true
    this.show()
    void this.catchUp()
  }

  private hasAll(): boolean {
    const { delivery } = this.core
    return !this.isUnsure && delivery.received !== undefined && delivery.has(this.wanted!)
  }

  private async catchUp(): Promise<void> {
    const backoff = new Backoff(this.timing.backoffMs, this.timing.backoffCapMs)
    while (!this.stopped && !this.hasAll()) {
      try {
        if (await this.fetchPage()) backoff.reset()
        else await this.pause(backoff.next())
      } catch (error) {
        if (error instanceof SignedOut) return this.core.show('signed-out')
        await this.pause(backoff.next())
      }
    }
    this.isBehind = false
    if (!this.stopped) this.show()
  }

  /** @returns false when the server does not have what is missing yet */
  private async fetchPage(): Promise<boolean> {
    const { core, http } = this
    const { delivery } = core
    if (delivery.received === undefined) {
      const cursor = await firstPosition(core, http)
      if (!this.stopped && delivery.received === undefined) core.begin(cursor)
      return true
    }
    await delivery.room()
    const query = new URLSearchParams({ cursor: delivery.received, limit: String(PAGE) })
    const page = await http.json(`/api/events?${query}`)
    if (this.stopped) return true
    this.isUnsure = false
    if (page.resync) delivery.resync(page.cursor, page.resync)
    for (const event of page.events) delivery.take(event)
    return page.resync !== null || page.events.length > 0
  }

  private show(): void {
    if (!this.leader || this.stopped) return
    const { status, retryAt } = this.leader
    this.core.show(this.isBehind && status === 'live' ? 'catching-up' : status, retryAt)
  }

  private async pause(ms: number): Promise<void> {
    if (this.stopped) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

const isConnected = (status: Status | undefined): boolean => status === 'live' || status === 'polling'
