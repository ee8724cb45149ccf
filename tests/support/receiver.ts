/** A receiver of webhooks, as a user of Roost would run one. */
import { createHmac } from 'node:crypto'

export interface Received {
  /** Bytes as they came. */
  text: string
  // biome-ignore lint/suspicious/noExplicitAny: a test reads any JSON
  body: any
  headers: Record<string, string>
}

type Behaviour = (received: Received, nth: number) => Response | Promise<Response>

export class Receiver {
  readonly received: Received[] = []
  /** What it answers. */
  answer: Behaviour = () => new Response('ok')
  private readonly waiting: (() => void)[] = []
  private readonly server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 60,
    fetch: async (request) => {
      const text = await request.text()
      const one = { text, body: JSON.parse(text), headers: Object.fromEntries(request.headers) }
      this.received.push(one)
      for (const wake of this.waiting.splice(0)) wake()
      return this.answer(one, this.received.length)
    },
  })

  get url(): string {
    return `http://127.0.0.1:${this.server.port}/hook`
  }

  /** Waits until `count` requests have come that `matches` accepts. */
  async wait(count = 1, matches: (one: Received) => boolean = () => true): Promise<Received[]> {
    for (;;) {
      const found = this.received.filter(matches)
      if (found.length >= count) return found
      await new Promise<void>((resolve) => this.waiting.push(resolve))
    }
  }

  stop(): Promise<void> {
    return this.server.stop(true)
  }
}

/** The signature in the body, computed from what a receiver gets. */
export function signatureOf({ text }: Received, secret: string): string {
  const unsigned = text.replace(/,"signature":"sha256=[0-9a-f]{64}"}$/, '}')
  return `sha256=${createHmac('sha256', secret).update(unsigned).digest('hex')}`
}

/** The signatures in `webhook-signature` that a secret with these bytes makes. */
export function standardSignature({ text, headers }: Received, key: Uint8Array): string {
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${text}`
  return `v1,${createHmac('sha256', key).update(signed).digest('base64')}`
}
