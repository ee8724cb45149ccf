import { setImmediate } from 'node:timers/promises'
import { cutText } from '../util/cut.ts'

export interface Line {
  text: string
  /** The line was longer than the limit. `text` is its beginning. */
  cut: boolean
  /** The program wrote over the line with `\r`. `text` is the last content. */
  redrawn: boolean
}

export interface LineEvents {
  line(line: Line): void
  /** The current content of a line that the program writes over again and again, such as a progress bar. */
  state?(text: string): void
  /** The content of a line when the program went back to its beginning. */
  overwritten?(line: Line): void
}

/** Splits bytes into lines. A line that never ends costs at most `maxChars` of memory. */
export class LineSplitter {
  private readonly decoder = new TextDecoder()
  private text = ''
  private redrawn = false
  /** The text before the last `\r`, as long as no text follows. */
  private before = ''
  /** The last chunk ended with `\r`. The next one tells whether `\n` follows. */
  private heldReturn = ''
  private ended = false

  constructor(
    private readonly maxChars: number,
    private readonly events: LineEvents,
  ) {}

  push(chunk: Uint8Array): void {
    if (this.ended) return
    const text = this.heldReturn + this.decoder.decode(chunk, { stream: true })
    this.heldReturn = text.endsWith('\r') ? '\r' : ''
    this.split(this.heldReturn ? text.slice(0, -1) : text)
    if (!this.redrawn && !this.heldReturn) return
    const state = this.text.trim() === '' ? this.before : this.text
    if (state.trim() !== '') this.events.state?.(state)
  }

  /** The content of the last line, which has no end. Later bytes are ignored. */
  end(): void {
    if (this.ended) return
    this.ended = true
    this.take(this.decoder.decode())
    if (this.text !== '') this.endLine()
  }

  private split(text: string): void {
    if (!text.includes('\r')) {
      const lines = text.split('\n')
      const rest = lines.pop() ?? ''
      for (const line of lines) {
        this.take(line)
        this.endLine()
      }
      this.take(rest)
      return
    }
    for (const piece of text.split(/(\r?\n|\r)/)) {
      if (piece === '\r') this.return()
      else if (piece === '\n' || piece === '\r\n') this.endLine()
      else this.take(piece)
    }
  }

  private take(piece: string): void {
    // Two more code units tell whether a character ends there.
    this.text += piece.slice(0, this.maxChars + 2 - this.text.length)
  }

  private return(): void {
    this.events.overwritten?.(this.line())
    this.before = this.text
    this.text = ''
    this.redrawn = true
  }

  private endLine(): void {
    const line = this.line()
    this.text = ''
    this.before = ''
    this.redrawn = false
    this.events.line(line)
  }

  private line(): Line {
    const { text, redrawn, maxChars } = this
    return { text: cutText(text, maxChars), cut: text.length > maxChars, redrawn }
  }
}

/**
 * How much is split between two turns of the event loop. A chunk has up to 256 KB, and as many short lines cost a fifth of a
 * second of processor time.
 */
const SLICE_BYTES = 16 * 1024

/** Reads a stream to its end and gives it to `splitter`. Calls `heard` for every chunk. */
export async function splitStream(
  stream: ReadableStream<Uint8Array>,
  splitter: LineSplitter,
  heard: () => void = () => {},
): Promise<void> {
  for await (const chunk of stream) {
    heard()
    for (let at = 0; at < chunk.length; at += SLICE_BYTES) {
      splitter.push(chunk.subarray(at, at + SLICE_BYTES))
      // A stream that always has more data would keep the event loop from everything else, and heartbeats would stop.
      await setImmediate()
    }
  }
  splitter.end()
}

export const eachLine = (
  stream: ReadableStream<Uint8Array>,
  maxChars: number,
  take: (text: string) => void,
): Promise<void> => splitStream(stream, new LineSplitter(maxChars, { line: ({ text }) => take(text) }))
