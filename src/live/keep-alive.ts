import { waitAtMost } from '../util/wait-at-most.ts'

/** Milliseconds on the monotonic clock. */
export interface KeepAliveTiming {
  /** Between two pings. Many proxies close a connection that is silent for a minute. */
  pingMs: number
  /** The server closes a socket whose other end has sent nothing for this time. */
  silenceMs: number
  checkMs: number
  /** How long a socket may take to answer a ping when another socket needs its place. */
  probeMs: number
}

export const KEEP_ALIVE: KeepAliveTiming = {
  pingMs: 25_000,
  silenceMs: 60_000,
  checkMs: 1000,
  probeMs: 3000,
}

/** When the other end of a socket last sent a frame, a ping or a pong, or read something. */
export class Pulse {
  heardAt = performance.now()
  pingedAt = this.heardAt
  private waiting: (() => void)[] = []

  heard(): void {
    this.heardAt = performance.now()
    for (const go of this.waiting.splice(0)) go()
  }

  /** Resolves when the other end is heard, or after `ms`. */
  async next(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.waiting.push(resolve)
    await waitAtMost(ms, promise)
  }
}

export interface PingedSocket {
  readonly pulse: Pulse
  sendPing(): void
}

/** Pings sockets and ends those that do not answer. Bun's own pings come only every two minutes. */
export class KeepAlive<S extends PingedSocket> {
  private readonly timer: ReturnType<typeof setInterval>
  private checkedAt = performance.now()
  private awakeSince = this.checkedAt

  constructor(
    private readonly sockets: Iterable<S>,
    private readonly timing: KeepAliveTiming,
    private readonly end: (socket: S) => void,
  ) {
    this.timer = setInterval(() => this.check(), timing.checkMs)
  }

  close(): void {
    clearInterval(this.timer)
  }

  private check(): void {
    const now = performance.now()
    const { pingMs, silenceMs, checkMs } = this.timing
    // The process stood still, so that answers may still wait to be read.
    if (now - this.checkedAt > pingMs + checkMs) this.awakeSince = now
    this.checkedAt = now
    for (const socket of [...this.sockets]) {
      const { pulse } = socket
      if (now - Math.max(pulse.heardAt, this.awakeSince) >= silenceMs) this.end(socket)
      else if (now - pulse.pingedAt >= pingMs) {
        pulse.pingedAt = now
        socket.sendPing()
      }
    }
  }
}
