import { setImmediate } from 'node:timers/promises'

export interface Line {
  text: string
  /** The line was longer than the limit; `text` is its beginning. */
  cut: boolean
}

/** Splits a byte stream into lines; one that never ends costs no more than `maxChars` of memory. */
export async function* readLines(stream: ReadableStream<Uint8Array>, maxChars: number): AsyncGenerator<Line> {
  const decoder = new TextDecoder()
  let text = ''
  let cut = false
  const take = (piece: string) => {
    const room = maxChars - text.length
    if (piece.length > room) cut = true
    text += piece.slice(0, room)
  }
  for await (const chunk of stream) {
    const pieces = decoder.decode(chunk, { stream: true }).split('\n')
    const rest = pieces.pop() ?? ''
    for (const piece of pieces) {
      take(piece)
      yield { text: text.replace(/\r$/, ''), cut }
      text = ''
      cut = false
    }
    take(rest)
    // A stream that always has more is read without ever going back to the event loop: heartbeats would stop.
    await setImmediate()
  }
  if (text !== '') yield { text, cut }
}
