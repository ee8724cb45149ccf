/** An application with the client of `src/client/`: the events that it handles, and what its sockets bring. */
import { connect } from '../../src/client/connect.ts'
import type { LiveClient } from '../../src/client/index.ts'
import { type Socket, TIMING } from '../../src/client/options.ts'
import { checkSent } from '../support/conformance.ts'
import { eventually } from '../support/process.ts'
import type { Random } from '../support/random.ts'
import { RawWebSocket } from '../support/raw-websocket.ts'
import { type Account, must } from './client.ts'

/** An event that was handled; `text` is its whole frame. */
export interface Received {
  seq: number
  text: string
}

/** The reader gives no connection up: each end is the server's, or the test's. */
const PATIENT = { ...TIMING, backoffMs: 200, backoffCapMs: 200, probeMs: [300], pingMs: 600_000 }

export const seqOf = (cursor: string): number => Number(cursor.split('.')[1])

export class Reader implements AsyncDisposable {
  readonly events: Received[] = []
  /** Faults of the server, which the client may make up for: a resync, an event out of order, a refusal. */
  readonly problems: string[] = []
  readonly closeCodes: (number | undefined)[] = []
  readonly others: { type: string; [field: string]: unknown }[] = []
  connections = 0
  socket: ReaderSocket | undefined
  /** The frames of events as they came over a socket, by cursor. */
  readonly texts = new Map<string, string>()
  private readonly live: LiveClient

  /** @param wsUrl asked for at every connection: a reader may move to another server */
  constructor(
    readonly name: string,
    wsUrl: () => string,
    readonly account: Account,
  ) {
    const moved = (url: string) =>
      url.replace(/^(http|ws):..[^/]+/, (_, scheme) => wsUrl().replace('ws', scheme))
    const reader = this
    this.live = connect(
      {
        url: wsUrl().replace('ws', 'http'),
        token: account.token,
        fetch: (url, init) => fetch(moved(url), init),
        WebSocket: class extends ReaderSocket {
          constructor(url: string) {
            super(moved(url), reader)
          }
        },
        onError: (error) => void this.problems.push(String(error)),
      },
      PATIENT,
    )
    this.live.on('*', (event) => {
      const text = this.texts.get(event.cursor) ?? JSON.stringify(event)
      this.events.push({ seq: seqOf(event.cursor), text })
    })
  }

  get seq(): number {
    return this.live.cursor === undefined ? 0 : seqOf(this.live.cursor)
  }

  /** A task's events with their attempts, like `started 1`. */
  story(taskId: string): string[] {
    return this.events
      .map(({ text }) => JSON.parse(text))
      .filter(({ data }) => data.task_id === taskId)
      .map(({ type, data }) => `${type.replace('task.', '')} ${data.attempt}`)
  }

  /** Waits for the first `welcome`: what happens from now on arrives. */
  async ready(): Promise<this> {
    await eventually(() => this.connections > 0, `${this.name}: welcome`, 60_000)
    return this
  }

  /** Waits for the first event of this type, about this task when one is given. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads any JSON
  async event(type: string, taskId?: string, ms = 30_000): Promise<any> {
    return eventually(
      () =>
        this.events
          .map(({ text }) => JSON.parse(text))
          .find((event) => event.type === type && (taskId === undefined || event.data.task_id === taskId)),
      () => `${this.name}: ${type} of ${taskId ?? 'anything'}; it has ${this.describe()}`,
      ms,
    )
  }

  /** Waits until it has everything up to this position. */
  async reaches(head: number): Promise<void> {
    await eventually(
      () => this.seq >= head,
      () => `${this.name} reaches ${head}; it is at ${this.seq}`,
    )
  }

  describe(): string {
    return this.events
      .slice(-30)
      .map(({ seq, text }) => `${seq} ${JSON.parse(text).type}`)
      .join(', ')
  }

  pause = () => this.socket?.pause()
  resume = () => this.socket?.resume()
  terminate = () => this.socket?.terminate()

  /** Cuts, closes or stalls this reader at random until it is stopped. */
  async disturb(random: Random, manner: 'cut' | 'slow'): Promise<void> {
    while (this.live.status !== 'closed') {
      await Bun.sleep(random.between(100, 900))
      if (manner === 'slow') {
        this.pause()
        await Bun.sleep(random.between(100, 1200))
        this.resume()
      } else if (random.chance(0.5)) this.terminate()
      else this.socket?.close()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.live.close()
    this.terminate()
  }
}

/** One socket of the reader. It checks that the server goes on exactly where the client asks it to. */
class ReaderSocket implements Socket {
  onopen: Socket['onopen'] = null
  onmessage: Socket['onmessage'] = null
  onerror: Socket['onerror'] = null
  onclose: Socket['onclose'] = null
  private readonly raw: RawWebSocket
  private cursor: string

  constructor(
    url: string,
    private readonly reader: Reader,
  ) {
    this.cursor = new URL(url).searchParams.get('cursor')!
    reader.socket = this
    this.raw = new RawWebSocket(url, {
      opened: () => this.onopen?.({}),
      text: (text) => {
        this.check(text)
        this.onmessage?.({ data: text })
      },
      closed: (code) => {
        reader.closeCodes.push(code)
        this.onclose?.({ code: code ?? 1006, reason: '' })
      },
    })
  }

  send = (text: string) => this.raw.send(JSON.parse(text))
  close = () => this.raw.close()
  pause = () => this.raw.pause()
  resume = () => this.raw.resume()
  terminate = () => this.raw.terminate()

  private check(text: string): void {
    const frame = JSON.parse(text)
    checkSent('user', frame)
    const { problems, texts } = this.reader
    if (frame.type === 'welcome') {
      this.reader.connections++
      if (frame.cursor !== this.cursor) {
        problems.push(`came with ${this.cursor}, was welcomed at ${frame.cursor}`)
      }
    } else if (frame.type === 'resync') {
      problems.push(`resync (${frame.reason}) at ${this.cursor}`)
      this.cursor = frame.cursor
    } else if (frame.at !== undefined) {
      const [seq, before] = [seqOf(frame.cursor), seqOf(this.cursor)]
      if (seq !== before + 1) problems.push(`${frame.type} ${seq} came after ${before}`)
      texts.set(frame.cursor, text)
      this.cursor = frame.cursor
    } else this.reader.others.push(frame)
  }
}

/**
 * The newest position of a user's channel in the database. A `welcome` says the newest one that its server has heard of, which
 * is older for some seconds when the answer to a commit was lost.
 */
export async function headOf(url: string, { token }: Account): Promise<number> {
  const { body } = await must(url, 'POST', '/api/ws/ticket', { token })
  return seqOf(body.data.cursor)
}
