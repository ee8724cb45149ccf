/**
 * A WebSocket client on a plain TCP socket, for what other clients cannot do: stop reading, so that the server's buffers
 * fill, and disconnect without a close frame. It reads unfragmented text frames, which is all that this server sends.
 */
import { createConnection, type Socket } from 'node:net'

const OPCODE = { text: 1, close: 8, ping: 9, pong: 10 }

export interface RawEvents {
  opened?(): void
  text(text: string): void
  /** The code of the close frame; undefined when there was none. */
  closed(code: number | undefined): void
}

export class RawWebSocket {
  private input: Buffer = Buffer.alloc(0)
  private upgraded = false
  private closeCode: number | undefined
  private readonly socket: Socket

  /**
   * @param url `ws://host:port/…`; a refused upgrade shows as `closed`
   * @param answers whether it answers pings and the server's close frame
   */
  constructor(
    url: string,
    private readonly events: RawEvents,
    headers: Record<string, string> = {},
    private readonly answers = true,
  ) {
    const { hostname, port, host, pathname, search } = new URL(url)
    this.socket = createConnection({ host: hostname, port: Number(port) }, () => {
      const lines = [
        `GET ${pathname}${search} HTTP/1.1`,
        ...Object.entries({
          host,
          upgrade: 'websocket',
          connection: 'Upgrade',
          'sec-websocket-version': '13',
          'sec-websocket-key': Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64'),
          ...headers,
        }).map(([name, value]) => `${name}: ${value}`),
      ]
      this.socket.write(`${lines.join('\r\n')}\r\n\r\n`)
    })
    this.socket.on('data', (bytes) => this.take(bytes as Buffer))
    this.socket.on('error', () => {})
    this.socket.on('close', () => this.events.closed(this.closeCode))
  }

  send(frame: object): void {
    this.write(OPCODE.text, Buffer.from(JSON.stringify(frame)))
  }

  /** Stops reading from the network. */
  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  /** Sends a close frame, and ends the connection. */
  close(): void {
    this.write(OPCODE.close, Buffer.from([0x03, 0xe8]))
    this.socket.end()
  }

  /** Ends the connection without a close frame. What has not been read is lost. */
  terminate(): void {
    this.socket.destroy()
  }

  private write(opcode: number, payload: Buffer): void {
    if (this.socket.destroyed || !this.socket.writable) return
    const { length } = payload
    const size =
      length < 126
        ? [0x80 | length]
        : length < 65_536
          ? [0x80 | 126, length >> 8, length & 255]
          : [0x80 | 127, 0, 0, 0, 0, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255]
    // A mask of zeros: it hides nothing and need not be applied.
    this.socket.write(Buffer.concat([Buffer.from([0x80 | opcode, ...size, 0, 0, 0, 0]), payload]))
  }

  private take(bytes: Buffer): void {
    this.input = this.input.length === 0 ? bytes : Buffer.concat([this.input, bytes])
    if (!this.upgraded && !this.readHead()) return
    for (let frame = this.readFrame(); frame; frame = this.readFrame()) {
      if (frame.opcode === OPCODE.text) this.events.text(frame.payload.toString())
      else if (!this.answers) continue
      else if (frame.opcode === OPCODE.ping) this.write(OPCODE.pong, frame.payload)
      else if (frame.opcode === OPCODE.close) {
        this.closeCode = frame.payload.length >= 2 ? frame.payload.readUInt16BE(0) : 1005
        this.write(OPCODE.close, frame.payload)
        this.socket.end()
      }
    }
  }

  private readHead(): boolean {
    const end = this.input.indexOf('\r\n\r\n')
    if (end < 0) return false
    if (!this.input.subarray(0, end).toString().startsWith('HTTP/1.1 101')) {
      this.socket.destroy()
      return false
    }
    this.input = this.input.subarray(end + 4)
    this.upgraded = true
    this.events.opened?.()
    return true
  }

  private readFrame(): { opcode: number; payload: Buffer } | undefined {
    const { input } = this
    if (input.length < 2) return undefined
    const short = input[1]! & 127
    const header = short === 126 ? 4 : short === 127 ? 10 : 2
    if (input.length < header) return undefined
    const length =
      short === 126 ? input.readUInt16BE(2) : short === 127 ? Number(input.readBigUInt64BE(2)) : short
    if (input.length < header + length) return undefined
    this.input = input.subarray(header + length)
    return { opcode: input[0]! & 15, payload: input.subarray(header, header + length) }
  }
}
