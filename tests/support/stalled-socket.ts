import { RawWebSocket } from './raw-websocket.ts'
import type { Frame } from './sockets.ts'

/** A client of the live channel that can stop reading, and that answers neither pings nor a close frame. */
export class StalledSocket {
  readonly frames: Frame[] = []
  private readonly socket: RawWebSocket

  constructor(url: string) {
    const text = (frame: string) => void this.frames.push(JSON.parse(frame))
    this.socket = new RawWebSocket(url, { text, closed() {} }, {}, false)
  }

  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  close(): void {
    this.socket.terminate()
  }

  /** Waits until that many frames have come. */
  async until(count: number, ms = 15_000): Promise<void> {
    const deadline = performance.now() + ms
    while (this.frames.length < count) {
      if (performance.now() > deadline)
        throw new Error(`${count} frames did not come, but ${this.frames.length}`)
      await Bun.sleep(10)
    }
  }
}
