import type { TaskLogFrame } from '../protocol/live/topics.ts'
import type { Core } from './core.ts'
import type { Socket, SocketClass, Timing } from './options.ts'
import type { TopicFrom, TopicSource } from './topics.ts'
import { baseOf } from './url.ts'

/** How a connection has ended. */
export interface LinkEnd {
  /** The close code; 0: none, the connection was lost or given up. */
  code: number
  reason: string
  /** When the server has said how long it is away. */
  reconnectAfter?: number
}

/** Frames in a burst, and each second. The server takes a few more. */
const BURST = 250
const PER_SECOND = 25

const NORMAL = 1000
/** How soon a topic is opened again that the server could not open. */
const RETRY_MS = 2000

/** One WebSocket, from its opening to its end. */
export class SocketLink implements TopicSource {
  /** Whether the server has let it in. */
  readonly welcomed: Promise<boolean>
  readonly done: Promise<LinkEnd>
  /** The newest event of the channel when the server let the client in. */
  head: string | undefined
  /** Names that the address has. */
  readonly named: string[]
  /** The token expires within a minute. */
  onExpiring = () => {}
  private readonly socket: Socket | undefined
  private settleWelcome!: (welcomed: boolean) => void
  private settleEnd!: (end: LinkEnd) => void
  private isWelcome = false
  private ended = false
  private reconnectAfter: number | undefined
  private lastHeard = 0
  private openingTimer: ReturnType<typeof setTimeout>
  private pingTimer: ReturnType<typeof setTimeout> | undefined
  private pongTimer: ReturnType<typeof setTimeout> | undefined
  private readonly unsent: object[] = []
  private budget = BURST
  private refill: ReturnType<typeof setInterval> | undefined

  constructor(
    private readonly core: Core,
    private readonly timing: Timing,
    SocketOf: SocketClass,
    url: string,
    token: string,
  ) {
    this.welcomed = new Promise((resolve) => {
      this.settleWelcome = resolve
    })
    this.done = new Promise((resolve) => {
      this.settleEnd = resolve
    })
    this.named = core.topics.namesForUrl()
    const query = new URLSearchParams()
    const { received } = core.delivery
    if (received) query.set('cursor', received)
    if (this.named.length > 0) query.set('topics', this.named.join(','))
    if (core.language) query.set('language', core.language)
    const base = baseOf(url).replace(/^http/, 'ws')
    this.openingTimer = setTimeout(() => this.end(0, 'no answer'), timing.openMs)
    try {
      const socket = new SocketOf(`${base}/ws/connect?${query}`)
      this.socket = socket
      socket.onopen = () => socket.send(JSON.stringify({ type: 'auth', token }))
      socket.onmessage = ({ data }) => this.receive(String(data))
      socket.onerror = () => {}
      socket.onclose = ({ code, reason }) => this.end(code, reason)
    } catch (error) {
      // A page over HTTPS may open none to a server without it.
      this.end(0, String(error))
    }
  }

  open(topic: string, { logPosition, agentSeq }: TopicFrom, id: number): void {
    this.send({ type: 'subscribe', topic, log_position: logPosition, agent_seq: agentSeq, id })
  }

  close(topic: string): void {
    // With an id: an `unsubscribed` without one means that the server itself has ended the topic.
    this.send({ type: 'unsubscribe', topic, id: 0 })
  }

  /** A new token for the open socket. */
  renew(token: string): void {
    this.send({ type: 'auth', token })
  }

  /** Whether the connection is still there: asks now. */
  check(): void {
    if (!this.isWelcome || this.ended) return
    clearTimeout(this.pingTimer)
    this.ping()
  }

  /** @param code 0: gives the connection up */
  end(code: number, reason: string): void {
    if (this.ended) return
    this.ended = true
    clearTimeout(this.openingTimer)
    clearTimeout(this.pingTimer)
    clearTimeout(this.pongTimer)
    clearInterval(this.refill)
    this.settleWelcome(false)
    const { reconnectAfter } = this
    this.settleEnd({ code, reason, ...(reconnectAfter !== undefined && { reconnectAfter }) })
    try {
      this.socket?.close(NORMAL)
    } catch {
      // It has not been open.
    }
  }

  private receive(text: string): void {
    if (this.ended) return
    this.lastHeard = performance.now()
    // biome-ignore lint/suspicious/noExplicitAny: frames of the protocol, and of later versions
    let frame: any
    try {
      frame = JSON.parse(text)
    } catch {
      return this.end(0, 'a frame is not JSON')
    }
    const { core } = this
    const { topics } = core
    // Also the types of a later server.
    if (frame.cursor !== undefined && frame.at !== undefined) return this.event(frame)
    switch (frame.type) {
      case 'welcome':
        return this.welcome(frame.head)
      case 'resync':
        return core.delivery.resync(frame.cursor, frame.reason)
      case 'pong':
        return this.ponged(frame)
      case 'draining':
        this.reconnectAfter = frame.reconnect_after_ms
        return
      case 'auth_expiring':
        return this.onExpiring()
      case 'subscribed':
        return topics.acknowledged(frame.topic, frame.id)
      case 'unsubscribed':
        if (frame.id === undefined)
          topics.ended(frame.topic, { code: 'ENDED', message: 'the server ended it' })
        return
      case 'error':
        return this.refused(frame)
      case 'task_update':
        return topics.state(`task:${frame.task_id}`, frame.data)
      case 'task_log':
        return topics.log(`task:${frame.task_id}`, frame as TaskLogFrame)
      case 'agent_event':
        return topics.agent(frame)
      case 'system_log':
        return topics.state('system:log', frame)
      default:
        if (frame.key !== undefined) topics.state(frame.key, frame.data)
    }
  }

  private welcome(head: string | undefined): void {
    if (this.isWelcome) return
    this.isWelcome = true
    clearTimeout(this.openingTimer)
    this.head = head
    this.pingTimer = setTimeout(() => this.ping(), this.timing.pingMs)
    this.refill = setInterval(() => {
      this.budget = Math.min(BURST, this.budget + PER_SECOND)
      this.flush()
    }, 1000)
    this.settleWelcome(true)
    this.flush()
  }

  // biome-ignore lint/suspicious/noExplicitAny: an event of the protocol
  private event(frame: any): void {
    const { delivery } = this.core
    if (delivery.take(frame) === 'lost') this.end(0, 'events were lost on the way')
    else if (delivery.isFull) this.end(0, 'the handlers lag')
  }

  private ping(): void {
    const sentAt = performance.now()
    this.send({ type: 'ping', id: this.core.topics.id })
    this.pongTimer ??= setTimeout(() => {
      this.pongTimer = undefined
      // The answer may stand behind much else.
      if (this.lastHeard < sentAt) this.end(0, 'no answer')
    }, this.timing.pongMs)
    this.pingTimer = setTimeout(() => this.ping(), this.timing.pingMs)
  }

  /** The server answers in order: what it has not sent before this answer was lost. */
  private ponged({ cursor, id }: { cursor?: string; id: number }): void {
    clearTimeout(this.pongTimer)
    this.pongTimer = undefined
    const { delivery, topics } = this.core
    if (cursor !== undefined && !delivery.has(cursor)) return this.end(0, 'events were lost on the way')
    topics.repeat(id)
  }

  private refused(frame: {
    code: string
    message: string
    topic?: string
    id?: number
    retryable?: true
  }): void {
    const { code, message, topic, id } = frame
    const { topics, report } = this.core
    if (topic === undefined) return report(new Error(`${message} (${code})`))
    if (!frame.retryable) return topics.ended(topic, { code, message }, id)
    topics.failed(topic)
    setTimeout(() => !this.ended && topics.repeat(topics.id), RETRY_MS)
  }

  private send(frame: object): void {
    if (this.ended) return
    this.unsent.push(frame)
    this.flush()
  }

  private flush(): void {
    while (this.isWelcome && this.budget > 0 && this.unsent.length > 0) {
      this.budget--
      this.socket?.send(JSON.stringify(this.unsent.shift()))
    }
  }
}
