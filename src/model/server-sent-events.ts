/** Yields the data of each server-sent event (HTML standard, 9.2), without comments. */
export async function* eventData(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let text = ''
  let data: string[] = []
  const take = function* (line: string): Generator<string> {
    if (line === '') {
      if (data.length > 0) yield data.join('\n')
      data = []
    } else if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5))
    // No field begins with a brace, but some APIs label a JSON document, or one per line, as an event stream.
    else if (line.startsWith('{')) yield line
  }
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true })
    // A CR at the end may be the first half of a CRLF.
    const whole = text.endsWith('\r') ? text.length - 1 : text.length
    const end = Math.max(text.lastIndexOf('\n', whole - 1), text.lastIndexOf('\r', whole - 1)) + 1
    if (end === 0) continue
    const lines = text.slice(0, end).split(/\r\n|\n|\r/)
    lines.pop()
    text = text.slice(end)
    for (const line of lines) yield* take(line)
  }
  // The standard drops an event without an empty line after it, but some APIs end their stream with such an event.
  yield* take(text.trimEnd())
  yield* take('')
}
