/** The data of each server-sent event (HTML standard, 9.2), comments left out. */
export async function* eventData(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let text = ''
  let data: string[] = []
  const take = function* (line: string): Generator<string> {
    if (line === '') {
      if (data.length > 0) yield data.join('\n')
      data = []
    } else if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5))
    // No field begins so: APIs send a whole document, or one a line, under the name of a stream.
    else if (line.startsWith('{')) yield line
  }
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true })
    // A CR at the end may be half of a CRLF.
    const whole = text.endsWith('\r') ? text.length - 1 : text.length
    const end = Math.max(text.lastIndexOf('\n', whole - 1), text.lastIndexOf('\r', whole - 1)) + 1
    if (end === 0) continue
    const lines = text.slice(0, end).split(/\r\n|\n|\r/)
    lines.pop()
    text = text.slice(end)
    for (const line of lines) yield* take(line)
  }
  // The standard drops an event that no empty line ends, but some APIs end with one.
  yield* take(text.trimEnd())
  yield* take('')
}
