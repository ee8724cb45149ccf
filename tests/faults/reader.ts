/** A correct client of the live channel: it reconnects with its last cursor after every kind of loss. */

import { eventually } from '../support/process.ts'
import type { Random } from '../support/random.ts'
import { RawWebSocket } from '../support/raw-websocket.ts'
import { type Account, must } from './client.ts'

/** An event as it came; `text` is the whole frame. */
export interface Received {
  seq: number
  text: string
}

const BACKOFF_MS = 100

export const seqOf = (cursor: string): number => Number(cursor.split('.')[1])

export class Reader implements AsyncDisposable {
  readonly events: Received[] = []
  /** Where the next connection goes on; the first `welcome` sets it. */
  cursor: string | undefined
  /** Faults of the server: a resync, a frame that is no JSON. */
  readonly problems: string[] = []
  readonly closeCodes: (number | undefined)[] = []
  readonly others: { type: string; [field: string]: unknown }[] = []
  connections = 0
  private socket: RawWebSocket | undefined
  private stopped = false
  private retry: Timer | undefined

  /** @param wsUrl asked for at every connection: a reader may move to another server */
  constructor(
    readonly name: string,
    private readonly wsUrl: () => string,
    readonly account: Account,
    cursor?: string,
  ) {
    this.cursor = cursor
    this.connect()
  }

  get seq(): number {
    return this.cursor === undefined ? 0 : seqOf(this.cursor)
  }

  /** A task's events with their attempts, like `started 1`. */
  story(taskId: string): string[] {
    return this.events
      .map(({ text }) => JSON.parse(text))
      .filter(({ data }) => data.task_id === taskId)
      .map(({ type, data }) => `${type.replace('task.', '')} ${data.attempt}`)
  }

  /** Waits for the first `welcome`, which has the reader's position. */
  async ready(): Promise<this> {
    await eventually(() => this.cursor !== undefined, `${this.name}: welcome`, 60_000)
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

  send(frame: object): void {
    this.socket?.send(frame)
  }

  pause = () => this.socket?.pause()
  resume = () => this.socket?.resume()
  close = () => this.socket?.close()
  terminate = () => this.socket?.terminate()

  /** Cuts, closes or stalls this reader at random until it is stopped. */
  async disturb(random: Random, manner: 'cut' | 'slow'): Promise<void> {
    while (!this.stopped) {
      await Bun.sleep(random.between(100, 900))
      if (manner === 'slow') {
        this.pause()
        await Bun.sleep(random.between(100, 1200))
        this.resume()
      } else if (random.chance(0.5)) this.terminate()
      else this.close()
    }
  }

  private connect(): void {
    const query = new URLSearchParams({
      token: this.account.token,
      ...(this.cursor && { cursor: this.cursor }),
    })
    let mine = true
    this.socket = new RawWebSocket(`${this.wsUrl()}/ws/connect?${query}`, {
      // Frames that arrive after the reader cut its connection are ignored, because a vanished client reads nothing.
      text: (text) => mine && this.take(text),
      closed: (code) => {
        if (!mine) return
        mine = false
        this.closeCodes.push(code)
        if (!this.stopped) this.retry = setTimeout(() => this.connect(), BACKOFF_MS)
      },
    })
  }

  private take(text: string): void {
    const frame = JSON.parse(text)
    if (frame.type === 'welcome') {
      this.connections++
      if (this.cursor !== undefined && frame.cursor !== this.cursor) {
        this.problems.push(`came with ${this.cursor}, was welcomed at ${frame.cursor}`)
      }
      this.cursor = frame.cursor
    } else if (frame.type === 'resync') {
      this.problems.push(`resync (${frame.reason}) at ${this.cursor}`)
      this.cursor = frame.cursor
    } else if (frame.cursor !== undefined) {
      const seq = seqOf(frame.cursor)
      if (seq !== this.seq + 1) this.problems.push(`${frame.type} ${seq} came after ${this.seq}`)
      this.events.push({ seq, text })
      this.cursor = frame.cursor
    } else this.others.push(frame)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stopped = true
    clearTimeout(this.retry)
    this.socket?.terminate()
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
