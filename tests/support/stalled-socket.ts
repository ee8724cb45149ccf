import { connect, type Socket } from 'node:net'
import type { Frame } from './sockets.ts'

/**
 * A WebSocket client over a bare TCP socket that can stop reading: a ready-made client always reads. Understands
 * the server's unfragmented text frames, which is all the server sends.
 */
export class StalledSocket {
  readonly frames: Frame[] = []
  private buffer = Buffer.alloc(0)
  private upgraded = false

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => this.read(chunk))
    socket.on('error', () => {})
  }

  static async open(url: string): Promise<StalledSocket> {
    const { hostname, port, pathname, search, host } = new URL(url)
    const socket = connect(Number(port), hostname)
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    const client = new StalledSocket(socket)
    socket.write(
      [
        `GET ${pathname}${search} HTTP/1.1`,
        `Host: ${host}`,
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        `Sec-WebSocket-Key: ${Buffer.from(crypto.randomUUID().slice(0, 16)).toString('base64')}`,
        '\r\n',
      ].join('\r\n'),
    )
    return client
  }

  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  close(): void {
    this.socket.destroy()
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

  private read(chunk: Buffer): void {
    this.buffer = Buffer.concat([this.buffer, chunk])
    if (!this.upgraded) {
      const end = this.buffer.indexOf('\r\n\r\n')
      if (end < 0) return
      this.upgraded = true
      this.buffer = this.buffer.subarray(end + 4)
    }
    for (let frame = this.take(); frame; frame = this.take()) {
      if (frame.opcode === 1) this.frames.push(JSON.parse(frame.payload.toString()))
    }
  }

  private take(): { opcode: number; payload: Buffer } | undefined {
    if (this.buffer.length < 2) return undefined
    const short = this.buffer[1]! & 0x7f
    const header = short < 126 ? 2 : short === 126 ? 4 : 10
    if (this.buffer.length < header) return undefined
    const length =
      short < 126
        ? short
        : short === 126
          ? this.buffer.readUInt16BE(2)
          : Number(this.buffer.readBigUInt64BE(2))
    if (this.buffer.length < header + length) return undefined
    const opcode = this.buffer[0]! & 0x0f
    const payload = this.buffer.subarray(header, header + length)
    this.buffer = this.buffer.subarray(header + length)
    return { opcode, payload }
  }
}
