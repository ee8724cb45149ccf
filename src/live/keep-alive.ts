/** All in ms, measured by a monotonic clock. */
export interface KeepAliveTiming {
  /** From one ping to the next; proxies cut a connection that is silent for a minute. */
  pingMs: number
  /** A socket whose other end has answered nothing for so long is gone. */
  silenceMs: number
  checkMs: number
  /** How long a socket may take to answer when another one needs its place. */
  probeMs: number
}

export const KEEP_ALIVE: KeepAliveTiming = {
  pingMs: 25_000,
  silenceMs: 60_000,
  checkMs: 1000,
  probeMs: 3000,
}

/** When a socket was last heard. Anything counts that shows that the other end still reads or writes. */
export class Pulse {
  heardAt = performance.now()
  pingedAt = this.heardAt
  private waiting: (() => void)[] = []

  heard(): void {
    this.heardAt = performance.now()
    for (const go of this.waiting.splice(0)) go()
  }

  /** Resolves when something is heard, or after `ms`. */
  next(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.waiting.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
}

export interface PingedSocket {
  readonly pulse: Pulse
  sendPing(): void
}

/** Pings sockets, and ends those that answer nothing. Bun's own pings come at most once in two minutes. */
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
    // The process stood still: the answers of the meantime are yet to be read.
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
