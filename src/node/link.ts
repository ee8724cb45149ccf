import { TypeCompiler } from '@sinclair/typebox/compiler'
import { CLOSE } from '../protocol/close-codes.ts'
import type { NodeFrame, NodeFrameOf } from '../protocol/node/node-frames.ts'
import { NodeServerFrame, type NodeServerFrameOf } from '../protocol/node/server-frames.ts'
import { cutText } from '../util/cut.ts'
import { parseJson } from '../util/json.ts'
import { failedConnection } from './connection-problems.ts'
import type { Log } from './log.ts'

export interface LinkEvents {
  /** Called for every connection. */
  hello(): NodeFrameOf<'hello'>
  /** The node is signed in and may send frames. A second `welcome` on a connection ends a drain. */
  welcome(frame: NodeServerFrameOf<'welcome'>): void
  frame(frame: NodeServerFrame): void
  /** Figures for the next heartbeat, within `limitMs`. */
  heartbeat(limitMs: number): Promise<NodeFrameOf<'heartbeat'>>
  /** The server refuses the token. The link does not connect again. */
  refused(message: string): void
}

const HANDSHAKE_MS = 10_000
const FIRST_BACKOFF_MS = 500
const MAX_BACKOFF_MS = 30_000
/** A server that comes back gives its nodes three heartbeats to return, so the backoff must stay shorter. */
const MAX_BACKOFF_HEARTBEATS = 2
/** After so many failures in a row the backoff has its maximum. */
const SELDOM = 6
/** After a connection that lasted so long the backoff begins anew. */
const STABLE_MS = 10_000
const MAX_DRAIN_DELAY_MS = 300_000

const serverFrame = TypeCompiler.Compile(NodeServerFrame)

/** The connection to the server. It reconnects after every loss until the server refuses the token or `close` is called. */
export class Link {
  private socket: WebSocket | undefined
  private ready = false
  private failures = 0
  private maxBackoffMs = MAX_BACKOFF_MS
  private drainDelayMs: number | undefined
  private heardAt = 0
  private stableTimer: Timer | undefined
  private handshakeTimer: Timer | undefined
  private heartbeatTimer: Timer | undefined
  private reconnectTimer: Timer | undefined

  constructor(
    private readonly url: string,
    /** The server's name in messages for people. */
    private readonly server: string,
    private readonly token: string,
    private readonly events: LinkEvents,
    private readonly log: Log,
  ) {}

  connect(): void {
    const socket = new WebSocket(this.url, { headers: { authorization: `Bearer ${this.token}` } })
    this.socket = socket
    this.handshakeTimer = setTimeout(
      () => this.lost(`no answer from ${this.server} in ${HANDSHAKE_MS / 1000} s`),
      HANDSHAKE_MS,
    )
    let problem: ErrorEvent | undefined
    // A late event of a connection that was given up must not change its successor.
    const listen = <K extends keyof Bun.WebSocketEventMap>(
      type: K,
      act: (event: Bun.WebSocketEventMap[K]) => void,
    ) =>
      socket.addEventListener(type, (event) => {
        if (this.socket === socket) act(event)
      })
    listen('open', () => this.transmit(this.events.hello()))
    listen('pong', () => this.heard())
    listen('message', (event) => {
      this.heard()
      if (typeof event.data === 'string') this.receive(event.data)
    })
    listen('error', (event) => {
      problem = event as ErrorEvent
    })
    listen('close', ({ code, reason }) => this.closed(code, reason, problem))
  }

  /** @returns false when there is no connection: then nothing was sent */
  send(frame: NodeFrame): boolean {
    if (this.ready) this.transmit(frame)
    return this.ready
  }

  /** Whether there is a connection on which the node is signed in. */
  get isReady(): boolean {
    return this.ready
  }

  /** Bytes of frames that wait in the socket's buffer. */
  get backlog(): number {
    return this.socket?.bufferedAmount ?? 0
  }

  /** Closes the connection and does not reconnect. */
  close(): void {
    const { socket } = this
    this.reset()
    clearTimeout(this.reconnectTimer)
    socket?.close(1000, 'node stopped')
  }

  private transmit(frame: NodeFrame): void {
    this.socket?.send(JSON.stringify(frame))
  }

  private heard(): void {
    this.heardAt = performance.now()
  }

  private receive(text: string): void {
    const frame = parsed(text)
    if (!frame) this.log.warn(`ignored a frame that this program does not know: ${cutText(text, 200)}`)
    else if (frame.type === 'welcome') this.welcomed(frame)
    else if (frame.type === 'draining')
      this.drainDelayMs = Math.min(frame.reconnect_after_ms, MAX_DRAIN_DELAY_MS)
    else this.events.frame(frame)
  }

  private welcomed(frame: NodeServerFrameOf<'welcome'>): void {
    clearTimeout(this.handshakeTimer)
    clearTimeout(this.stableTimer)
    this.ready = true
    this.maxBackoffMs = Math.min(MAX_BACKOFF_MS, MAX_BACKOFF_HEARTBEATS * frame.heartbeat_seconds * 1000)
    this.stableTimer = setTimeout(() => {
      this.failures = 0
    }, STABLE_MS)
    this.events.welcome(frame)
    this.startHeartbeats(Math.min(frame.heartbeat_seconds, 3600) * 1000)
  }

  /** Sends a heartbeat and a ping. A server that sends nothing in three intervals, not even a pong, is gone. */
  private startHeartbeats(intervalMs: number): void {
    const { socket } = this
    const beat = async () => {
      if (performance.now() - this.heardAt > 3 * intervalMs) return this.lost(`${this.server} fell silent`)
      socket?.ping()
      const frame = await this.events.heartbeat(intervalMs / 2)
      if (this.socket === socket) this.send(frame)
    }
    clearInterval(this.heartbeatTimer)
    this.heartbeatTimer = setInterval(beat, intervalMs)
    beat()
  }

  private closed(code: number, reason: string, problem: ErrorEvent | undefined): void {
    const { why, status } = failedConnection(this.server, problem)
    if (code === CLOSE.unauthenticated || code === CLOSE.forbidden || status === 401 || status === 403) {
      this.reset()
      const how = status ? `HTTP ${status}` : `close code ${code}`
      this.events.refused(
        `the server refuses this node token (${how}): ${this.server} does not know it, or it was replaced`,
      )
    } else if (code === CLOSE.tooManyConnections) {
      // Two programs with one token would close each other's connections again and again: reconnect seldom, and say what
      // is wrong.
      this.failures = Math.max(this.failures, SELDOM)
      this.lost('another program uses the same node token')
    } else if (code === 1006 || status) this.lost(this.ready ? `connection to ${this.server} lost` : why)
    else this.lost(`closed by ${this.server}: ${code} ${reason}`)
  }

  private lost(why: string): void {
    const { socket } = this
    this.reset()
    socket?.terminate()
    const ceiling = Math.min(this.maxBackoffMs, FIRST_BACKOFF_MS * 2 ** this.failures++)
    // Full jitter, added to the delay that a restarting server asked for, so that not all nodes come back at once.
    const delay = (this.drainDelayMs ?? 0) + Math.random() * ceiling
    this.drainDelayMs = undefined
    this.log.warn(`${why}; next try in ${(delay / 1000).toFixed(1)} s`)
    this.reconnectTimer = setTimeout(() => this.connect(), delay)
  }

  private reset(): void {
    this.socket = undefined
    this.ready = false
    clearTimeout(this.handshakeTimer)
    clearTimeout(this.stableTimer)
    clearInterval(this.heartbeatTimer)
  }
}

function parsed(text: string): NodeServerFrame | undefined {
  try {
    const value: unknown = parseJson(text, 'null')
    return serverFrame.Check(value) ? value : undefined
  } catch {
    return undefined
  }
}
