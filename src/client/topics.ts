import type { TaskLogFrame } from '../protocol/live/topics.ts'
import type { AgentEventFrame, Stop, TopicError, WatchOptions } from './live-client.ts'
import { each, guarded, type Report } from './report.ts'

/** Where the streams of a topic begin: the last line of a log, and the last frame of an agent, that every watcher has. */
export interface TopicFrom {
  logPosition?: number | undefined
  agentSeq?: number | undefined
}

/** What brings the topics: a socket, requests over HTTP, or another tab. */
export interface TopicSource {
  /** `id` comes back in `acknowledged`. What the source sends of a stream before that is of an earlier opening. */
  open(topic: string, from: TopicFrom, id: number): void
  close(topic: string): void
}

interface Watcher {
  // biome-ignore lint/suspicious/noExplicitAny: the type of a state follows from the topic's name
  handler: (state: any) => void
  options: WatchOptions
  /** Of the log: the last line that the watcher has. */
  position: number
  /** Of an agent: the last frame that the watcher has; undefined: none yet. */
  seq: number | undefined
}

interface Topic {
  watchers: Set<Watcher>
  /** The newest state, for watchers that come late. */
  state: unknown
  /** Of the newest opening. */
  id: number
  from: TopicFrom
  /** The source has acknowledged the newest opening. */
  isOpen: boolean
  /** No frame of an agent has come since the opening. */
  isFresh: boolean
}

/** The server limits the length of an address. */
const MOST_IN_URL = 60

/** A name as the server writes it in frames. */
const nameOf = (topic: string): string => topic.toLowerCase()

/** What the application watches: one subscription for each name, whatever brings it. */
export class Topics {
  private readonly topics = new Map<string, Topic>()
  private source: TopicSource | undefined
  private lastId = 0

  constructor(private readonly report: Report) {}

  watch(topic: string, handler: Watcher['handler'], options: WatchOptions): Stop {
    const name = nameOf(topic)
    const watcher = { handler, options, position: options.logPosition ?? 0, seq: options.agentSeq }
    const known = this.topics.get(name)
    const entry = known ?? {
      watchers: new Set(),
      state: undefined,
      id: 0,
      from: {},
      isOpen: false,
      isFresh: false,
    }
    this.topics.set(name, entry)
    entry.watchers.add(watcher)
    if (!known) this.open(name, entry)
    else {
      // The streams begin anew for the late watcher. The others drop what they have.
      if (options.onLog || isAgent(name)) this.reopen(name, entry)
      const { state } = entry
      if (state !== undefined) queueMicrotask(() => entry.watchers.has(watcher) && this.call(handler, state))
    }
    return () => {
      if (entry.watchers.delete(watcher) && entry.watchers.size === 0) this.forget(name, entry)
    }
  }

  /** Topics that a new socket can name in its address: those without positions. */
  namesForUrl(): string[] {
    const plain = [...this.topics].filter(([name, entry]) => !isAgent(name) && !hasLog(entry))
    return plain.slice(0, MOST_IN_URL).map(([name]) => name)
  }

  /** @param opened names that the source has opened by itself */
  attach(source: TopicSource, opened: string[] = []): void {
    this.source = source
    for (const [name, entry] of this.topics) {
      if (opened.includes(name) && !hasLog(entry)) this.mark(entry)
      else this.open(name, entry)
    }
    for (const name of opened) if (!this.topics.has(name)) source.close(name)
  }

  detach(source: TopicSource): void {
    if (this.source === source) this.source = undefined
  }

  state(topic: string, state: unknown): void {
    const entry = this.topics.get(nameOf(topic))
    if (!entry) return
    entry.state = state
    for (const { handler } of each(entry.watchers)) this.call(handler, state)
  }

  log(topic: string, line: TaskLogFrame): void {
    const entry = this.topics.get(nameOf(topic))
    if (!entry?.isOpen) return
    for (const watcher of each(entry.watchers)) {
      if (!watcher.options.onLog || line.position <= watcher.position) continue
      watcher.position = line.position
      this.call(watcher.options.onLog, line)
    }
  }

  agent(frame: AgentEventFrame): void {
    const name = nameOf(`agent:${frame.session_id}`)
    const entry = this.topics.get(name)
    if (!entry?.isOpen) return
    const { seq } = frame
    const { agentSeq } = entry.from
    const isFirst = entry.isFresh
    entry.isFresh = false
    let lost = false
    for (const watcher of each(entry.watchers)) {
      if (watcher.seq !== undefined) {
        if (seq <= watcher.seq) continue
        // The server deletes old frames: what it sends first after the watcher's own number has no predecessor any more.
        const isNext =
          seq === watcher.seq + 1 || (isFirst && agentSeq !== undefined && agentSeq <= watcher.seq)
        if (!isNext) {
          lost = true
          continue
        }
      }
      watcher.seq = seq
      this.call(watcher.handler, frame)
    }
    if (lost) this.reopen(name, entry)
  }

  /** Without an id: the opening is the source's own. */
  acknowledged(topic: string, id: unknown): void {
    const entry = this.topics.get(nameOf(topic))
    if (entry && entry.id === id) this.mark(entry)
  }

  /** The source could not open a topic now: `repeat` tries again. */
  failed(topic: string): void {
    const entry = this.topics.get(nameOf(topic))
    if (entry) entry.isOpen = false
  }

  /** Opens again what is not open. Openings with a higher id may still be on their way. */
  repeat(id: number): void {
    for (const [name, entry] of this.topics) if (!entry.isOpen && entry.id <= id) this.open(name, entry)
  }

  /** The newest id. */
  get id(): number {
    return this.lastId
  }

  /** The source refuses a topic, or ends it. */
  ended(topic: string, error: TopicError, id?: unknown): void {
    const name = nameOf(topic)
    const entry = this.topics.get(name)
    // An earlier opening.
    if (!entry || (id !== undefined && id !== entry.id)) return
    this.topics.delete(name)
    for (const { options } of each(entry.watchers)) {
      if (options.onError) this.call(options.onError, error)
      else this.report(new Error(`${topic}: ${error.message} (${error.code})`))
    }
    entry.watchers.clear()
  }

  stop(): void {
    for (const entry of this.topics.values()) entry.watchers.clear()
    this.topics.clear()
    this.source = undefined
  }

  private open(name: string, entry: Topic): void {
    entry.id = ++this.lastId
    entry.from = fromOf(name, entry)
    entry.isOpen = false
    this.source?.open(name, entry.from, entry.id)
  }

  private reopen(name: string, entry: Topic): void {
    this.source?.close(name)
    this.open(name, entry)
  }

  private mark(entry: Topic): void {
    entry.isOpen = true
    entry.isFresh = true
  }

  private forget(name: string, entry: Topic): void {
    if (this.topics.get(name) !== entry) return
    this.topics.delete(name)
    this.source?.close(name)
  }

  private call<T>(handler: (value: T) => void, value: T): void {
    guarded(() => handler(value), this.report)
  }
}

const isAgent = (name: string): boolean => name.startsWith('agent:')

const hasLog = ({ watchers }: Topic): boolean => [...watchers].some(({ options }) => options.onLog)

function fromOf(name: string, { watchers }: Topic): TopicFrom {
  const all = [...watchers]
  if (!isAgent(name)) {
    const positions = all.filter(({ options }) => options.onLog).map(({ position }) => position)
    return positions.length > 0 ? { logPosition: Math.min(...positions) } : {}
  }
  // Without a number the server begins with the newest answer.
  const seqs = all.map(({ seq }) => seq)
  return seqs.some((seq) => seq === undefined) ? {} : { agentSeq: Math.min(...(seqs as number[])) }
}
