/** One block of a stream of server-sent events. */
export interface Block {
  id?: string
  retry?: number
  // biome-ignore lint/suspicious/noExplicitAny: a test reads any JSON
  data?: any
  comment?: string
}

/** Reads a stream of server-sent events whose data is JSON. */
export class EventReader {
  readonly blocks: Block[] = []
  ended = false
  private readonly waiting = new Set<() => void>()
  private constructor(
    readonly response: Response,
    readonly close: () => void,
  ) {}

  static async open(url: string, headers: Record<string, string>): Promise<EventReader> {
    const stop = new AbortController()
    const response = await fetch(url, {
      headers: { accept: 'text/event-stream', ...headers },
      signal: stop.signal,
    })
    const reader = new EventReader(response, () => stop.abort())
    void reader.read()
    return reader
  }

  get events(): Block[] {
    return this.blocks.filter(({ data }) => data !== undefined)
  }

  async until<T>(find: (reader: EventReader) => T | undefined | false, ms = 8000): Promise<T> {
    const deadline = performance.now() + ms
    for (;;) {
      const found = find(this)
      if (found !== undefined && found !== false) return found
      const left = deadline - performance.now()
      if (left <= 0) throw new Error(`it did not come; got ${JSON.stringify(this.blocks)}`)
      await Promise.race([new Promise<void>((go) => this.waiting.add(go)), Bun.sleep(left)])
    }
  }

  private async read(): Promise<void> {
    try {
      for await (const block of readBlocks(this.response)) {
        this.blocks.push(block)
        this.wake()
      }
    } catch {
      // Cut off.
    }
    this.ended = true
    this.wake()
  }

  private wake(): void {
    for (const go of this.waiting) go()
    this.waiting.clear()
  }
}

/** The blocks of an answer, as they come. */
export async function* readBlocks(response: Response): AsyncGenerator<Block, void> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const bytes of response.body!) {
    text += decoder.decode(bytes, { stream: true })
    const parts = text.split('\n\n')
    text = parts.pop()!
    for (const part of parts) yield parse(part)
  }
}

function parse(text: string): Block {
  const block: Block = {}
  for (const line of text.split('\n')) {
    const [, name, value] = /^([a-z]*): ?(.*)$/.exec(line)!
    if (name === '') block.comment = value!
    else if (name === 'data') block.data = JSON.parse(value!)
    else if (name === 'retry') block.retry = Number(value)
    else if (name === 'id') block.id = value!
    else throw new Error(`an unknown line: ${line}`)
  }
  return block
}
