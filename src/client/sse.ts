/** Server-sent events (HTML standard, 9.2), as this server writes them. */
export interface Block {
  id?: string
  data?: string
}

/**
 * The blocks of a stream, as they come.
 * @param heard bytes have come, of a comment too
 */
export async function* readBlocks(response: Response, heard: () => void): AsyncGenerator<Block, void> {
  const reader = response.body!.getReader()
  const decoder = new TextDecoder()
  let text = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      heard()
      text += decoder.decode(value, { stream: true })
      const parts = text.split('\n\n')
      text = parts.pop()!
      for (const part of parts) yield parse(part)
    }
  } finally {
    reader.cancel().catch(() => {})
  }
}

function parse(text: string): Block {
  const block: Block = {}
  for (const line of text.split('\n')) {
    const colon = line.indexOf(': ')
    const name = line.slice(0, colon)
    if (name === 'id' || name === 'data') block[name] = line.slice(colon + 2)
  }
  return block
}
