import type { Core } from './core.ts'
import { follow, type Http, Refusal } from './http.ts'
import { readBlocks } from './sse.ts'
import type { TopicFrom, TopicSource } from './topics.ts'

/** Requests at a time, so that a page with many topics takes turns. */
const AT_A_TIME = 4
const MOST_LINES = 500

/** What REST says about a topic, in the form in which the topic sends it. */
interface StateRoute {
  pattern: RegExp
  path: (id: string) => string
  // biome-ignore lint/suspicious/noExplicitAny: each route has an answer of its own
  state: (answer: any) => object
}

const STATE_ROUTES: StateRoute[] = [
  {
    pattern: /^task:(.+)$/,
    path: (id) => `/api/tasks/${id}`,
    state: ({ progress, current_item, item_progress, item_current_time, item_total_time }) => ({
      progress,
      current_item,
      item_progress,
      item_current_time,
      item_total_time,
    }),
  },
  { pattern: /^task_status:(.+)$/, path: (id) => `/api/tasks/${id}`, state: ({ status }) => ({ status }) },
  { pattern: /^gpu:cluster$/, path: () => '/api/gpu/cluster/overview', state: ({ data }) => data },
  {
    pattern: /^gpu:server:(.+)$/,
    path: (id) => `/api/gpu/servers/${id}/status`,
    state: ({ data }) => data,
  },
  // Nothing counts bytes but the topic.
  {
    pattern: /^upload:(\d+)$/,
    path: (id) => `/api/v1/upload/status/${id}`,
    state: ({ status, progress }) => ({ status, bytes: 0, total: null, percent: progress }),
  },
  {
    pattern: /^upload:(upload_\d+)$/,
    path: (id) => `/v1/upload/status/${id}`,
    state: ({ data: { status, current_step, progress } }) => ({
      status,
      step: current_step,
      bytes: 0,
      total: null,
      percent: progress,
    }),
  },
  { pattern: /^settings:watermark$/, path: () => '/v1/settings/watermark', state: ({ data }) => data },
]

/** They have no value until a WebSocket opens. A log that asks for itself would never end, because each request is a line of it. */
const NOT_OVER_HTTP = /^system:/

/** Topics where no WebSocket opens: each is asked for every few seconds. */
export class TopicPolls implements TopicSource {
  private readonly following = new Map<string, AbortController>()
  private free = AT_A_TIME
  private readonly waiting: (() => void)[] = []

  constructor(
    private readonly core: Core,
    private readonly http: Http,
    private readonly everyMs: number,
  ) {}

  open(topic: string, from: TopicFrom, id: number): void {
    const stop = new AbortController()
    this.following.set(topic, stop)
    this.core.topics.acknowledged(topic, id)
    if (NOT_OVER_HTTP.test(topic)) return
    void this.follow(topic, from, stop.signal)
  }

  close(topic: string): void {
    this.following.get(topic)?.abort()
    this.following.delete(topic)
  }

  stop(): void {
    for (const topic of [...this.following.keys()]) this.close(topic)
  }

  private async follow(topic: string, from: TopicFrom, signal: AbortSignal): Promise<void> {
    const look = this.looker(topic, from, signal)
    while (!signal.aborted) {
      try {
        await look()
      } catch (error) {
        const isRefused = error instanceof Refusal && [400, 403, 404, 422].includes(error.status)
        if (isRefused && !signal.aborted) {
          this.close(topic)
          return this.core.topics.ended(topic, error)
        }
      }
      await this.pause(signal)
    }
  }

  /** @returns a function that asks once */
  private looker(topic: string, from: TopicFrom, signal: AbortSignal): () => Promise<void> {
    const { topics } = this.core
    if (topic.startsWith('agent:')) return this.agentLooker(topic.slice('agent:'.length), from, signal)
    for (const { pattern, path, state } of STATE_ROUTES) {
      const id = pattern.exec(topic)?.[1] ?? ''
      if (!pattern.test(topic)) continue
      let position = from.logPosition
      return async () => {
        const answer = await this.inTurn(() => this.http.json(path(encodeURIComponent(id)), { signal }))
        if (signal.aborted) return
        topics.state(topic, state(answer))
        if (position !== undefined) position = await this.readLog(topic, id, position, signal)
      }
    }
    return () => Promise.reject(new Refusal(404, 'UNKNOWN_TOPIC', 'there is no such topic', undefined))
  }

  private async readLog(topic: string, id: string, after: number, signal: AbortSignal): Promise<number> {
    let position = after
    for (;;) {
      const path = `/api/logs/tasks/${encodeURIComponent(id)}?after=${position}&page_size=${MOST_LINES}`
      const { items } = (await this.inTurn(() => this.http.json(path, { signal }))).data
      if (signal.aborted) return position
      for (const { created_at: at, ...line } of items) {
        this.core.topics.log(topic, { type: 'task_log', ...line, at })
        position = line.position
      }
      if (items.length < MOST_LINES) return position
    }
  }

  /** The stream of the newest answer. Its blocks do not name the run, which its first event and the session do. */
  private agentLooker(session: string, from: TopicFrom, signal: AbortSignal): () => Promise<void> {
    const path = `/api/v1/agent-chats/${encodeURIComponent(session)}`
    let seq = from.agentSeq
    let runId: string | undefined
    return async () => {
      runId ??= (await this.http.json(path, { signal })).run?.run_id
      const stop = new AbortController()
      const unlink = follow(stop, [signal])
      const headers = {
        accept: 'text/event-stream',
        ...(seq !== undefined && { 'last-event-id': String(seq) }),
      }
      try {
        const response = await this.http.open(path, { headers, signal: stop.signal })
        if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return
        for await (const { id, data } of readBlocks(response, () => {})) {
          if (signal.aborted) return
          if (data === undefined) continue
          const event = JSON.parse(data)
          if (event.type === 'RUN_STARTED') runId = event.runId
          seq = Number(id)
          this.core.topics.agent({ session_id: session, run_id: runId ?? '', seq, event })
        }
      } finally {
        unlink()
        stop.abort()
      }
    }
  }

  private async inTurn<T>(ask: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--
    else await new Promise<void>((resolve) => this.waiting.push(resolve))
    try {
      return await ask()
    } finally {
      const next = this.waiting.shift()
      if (next) next()
      else this.free++
    }
  }

  private pause(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, this.everyMs)
      signal.addEventListener('abort', done)
    })
  }
}
