import type { Core } from './core.ts'
import { follow, type Http } from './http.ts'
import type { Timing } from './options.ts'
import type { LinkEnd } from './socket-link.ts'
import { readBlocks } from './sse.ts'

/** How long the server waits for an event, in seconds. Shorter than what proxies cut off. */
const WAIT_SECONDS = 25

export interface HttpLinkEnd extends LinkEnd {
  error?: unknown
}

/** The events over HTTP: as a stream, and where a proxy holds that back by long polls. */
export class HttpLink {
  readonly done: Promise<HttpLinkEnd>
  private readonly stopped = new AbortController()
  private reconnectAfter: number | undefined

  constructor(
    private readonly core: Core,
    private readonly http: Http,
    private readonly timing: Timing,
  ) {
    this.done = this.run()
  }

  stop(): void {
    this.stopped.abort()
  }

  private async run(): Promise<HttpLinkEnd> {
    const end = { code: 0, reason: '' }
    try {
      if ((await this.stream()) === 'muted') await this.poll()
    } catch (error) {
      return { ...end, error }
    }
    const { reconnectAfter } = this
    return { ...end, ...(reconnectAfter !== undefined && { reconnectAfter }) }
  }

  /** @returns `muted` when nothing has come at all */
  private async stream(): Promise<'muted' | 'ended'> {
    const { core, timing } = this
    const stop = new AbortController()
    const unlink = follow(stop, [this.stopped.signal])
    let isMuted = true
    let timer = setTimeout(() => stop.abort(), timing.mutedMs)
    const heard = () => {
      isMuted = false
      clearTimeout(timer)
      timer = setTimeout(() => stop.abort(), timing.silentMs)
    }
    try {
      const headers = { accept: 'text/event-stream', 'last-event-id': core.delivery.received! }
      const response = await this.http.open('/api/events', { headers, signal: stop.signal })
      for await (const { data } of readBlocks(response, heard)) {
        if (data !== undefined && !this.take(JSON.parse(data))) break
        clearTimeout(timer)
        await core.delivery.room()
        heard()
      }
    } catch (error) {
      if (!stop.signal.aborted) throw error
    } finally {
      clearTimeout(timer)
      unlink()
      stop.abort()
    }
    return isMuted && !this.stopped.signal.aborted ? 'muted' : 'ended'
  }

  private async poll(): Promise<void> {
    const { delivery } = this.core
    const { signal } = this.stopped
    while (!signal.aborted) {
      const query = new URLSearchParams({
        cursor: delivery.received!,
        wait: String(WAIT_SECONDS),
        limit: '500',
      })
      const limitMs = WAIT_SECONDS * 1000 + this.timing.openMs
      const page = await this.http.json(`/api/events?${query}`, { signal }, limitMs)
      if (signal.aborted) return
      if (page.resync) delivery.resync(page.cursor, page.resync)
      for (const event of page.events) delivery.take(event)
      await delivery.room()
    }
  }

  /** @returns false when events are missing */
  // biome-ignore lint/suspicious/noExplicitAny: frames of the protocol, and of later versions
  private take(frame: any): boolean {
    const { delivery } = this.core
    if (frame.type === 'resync') delivery.resync(frame.cursor, frame.reason)
    else if (frame.type === 'draining') this.reconnectAfter = frame.reconnect_after_ms
    else return delivery.take(frame) !== 'lost'
    return true
  }
}
