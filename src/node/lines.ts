import { setImmediate } from 'node:timers/promises'
import { cutText } from '../util/cut.ts'

export interface Line {
  text: string
  /** The line was longer than the limit; `text` is its beginning. */
  cut: boolean
}

/** Splits a byte stream into lines; one that never ends costs no more than `maxChars` of memory. */
export async function* readLines(stream: ReadableStream<Uint8Array>, maxChars: number): AsyncGenerator<Line> {
  const decoder = new TextDecoder()
  let text = ''
  const take = (piece: string) => {
    // One code point more than is kept tells whether a character ends there.
    text += piece.slice(0, maxChars + 2 - text.length)
  }
  const line = (): Line => {
    const cut = text.length > maxChars
    const whole = cutText(text, maxChars)
    text = ''
    return { text: cut ? whole : whole.replace(/\r$/, ''), cut }
  }
  for await (const chunk of stream) {
    const pieces = decoder.decode(chunk, { stream: true }).split('\n')
    const rest = pieces.pop() ?? ''
    for (const piece of pieces) {
      take(piece)
      yield line()
    }
    take(rest)
    // A stream that always has more is read without ever going back to the event loop: heartbeats would stop.
    await setImmediate()
  }
  if (text !== '') yield line()
}
