/** What an application has of the live channel: `connect()` and `connectTabs()` return it. */
import type { EventData, EventType } from '../protocol/live/events.ts'
import type { ResyncReason } from '../protocol/live/server-frames.ts'
import type {
  ClusterUpdateData,
  NodeUpdateData,
  PhotoUploadUpdateData,
  SystemLogFrame,
  SystemUpdateData,
  TaskLogFrame,
  TaskStatusData,
  TaskUpdateData,
  UploadUpdateData,
  WatermarkUpdateData,
} from '../protocol/live/topics.ts'

/** One event of the channel. `cursor` is its position, `at` its time (RFC 3339 in UTC). */
export interface LiveEvent<T extends EventType = EventType> {
  type: T
  cursor: string
  at: string
  data: EventData<T>
}
export type AnyLiveEvent = { [T in EventType]: LiveEvent<T> }[EventType]

/**
 * - `connecting`: no connection yet, or again one after a cut that is some seconds old.
 * - `catching-up`: connected; events that happened meanwhile are still coming.
 * - `live`: events arrive as they happen, over a WebSocket.
 * - `polling`: WebSockets are blocked here; events arrive over HTTP (server-sent events, or long polls).
 * - `offline`: the server cannot be reached. The client tries again by itself.
 * - `signed-out`: the session has ended. The client does not try again; `close()` it.
 * - `closed`: the application has called `close()`.
 */
export type Status = 'connecting' | 'catching-up' | 'live' | 'polling' | 'offline' | 'signed-out' | 'closed'

/** A frame of an agent's session. */
export interface AgentEventFrame {
  session_id: string
  run_id: string
  /** Grows by one with every frame of the session. */
  seq: number
  /** An AG-UI event. */
  event: { type: string; [field: string]: unknown }
}
/** The state that a topic sends, by the kind of its name. A late value replaces an earlier one. */
export type TopicState<Name extends string> = Name extends `task:${string}`
  ? TaskUpdateData
  : Name extends `task_status:${string}`
    ? TaskStatusData
    : Name extends 'gpu:cluster'
      ? ClusterUpdateData
      : Name extends `gpu:server:${string}`
        ? NodeUpdateData
        : Name extends `upload:upload_${string}`
          ? PhotoUploadUpdateData
          : Name extends `upload:${string}`
            ? UploadUpdateData
            : Name extends 'settings:watermark'
              ? WatermarkUpdateData
              : Name extends `agent:${string}`
                ? AgentEventFrame
                : Name extends 'system:overview'
                  ? SystemUpdateData
                  : Name extends 'system:log'
                    ? SystemLogFrame
                    : never

export interface TopicError {
  code: string
  message: string
}

export interface WatchOptions {
  /** The position of the last line of a task's log that the application has; 0 unless given. */
  logPosition?: number
  /** Gets every line of the log after that position, in order, each once. */
  onLog?: (line: TaskLogFrame) => void
  /**
   * For an agent's session: the number of the last frame that the application has; 0: from the first. Without it the newest answer
   * comes from its beginning.
   */
  agentSeq?: number
  /** The server refuses the topic, or the user's permission has ended. The subscription is over. */
  onError?: (error: TopicError) => void
}

export interface ViewOptions {
  /**
   * Fetches what the view shows. The client calls it as soon as it knows its position, after a `resync`, by `reload()`, and
   * after a reconnect when it has failed. The signal aborts when the result is no longer needed. Events that come meanwhile wait,
   * and are delivered after it has resolved: none is missing from what the view shows. An event that the fetched data already
   * shows may come once more, so applying it must change nothing.
   */
  load: (signal: AbortSignal) => Promise<void>
  on?: { [T in EventType]?: (event: LiveEvent<T>) => void }
  /** `load` has thrown. `reload()` tries again. Until a first `load` has succeeded, and after a `resync`, no events are applied. */
  onError?: (error: unknown) => void
}

/** Ends a handler, a watch or a view. Calling it again does nothing. */
export type Stop = () => void

export interface LiveClient {
  readonly status: Status
  /** The position of the channel up to which every handler has run; undefined before the first connection. */
  readonly cursor: string | undefined
  /** When the client tries again, while it is `offline` (milliseconds since the epoch). */
  readonly retryAt: number | undefined
  onStatus(handler: (status: Status) => void): Stop
  /** Calls the handler exactly once for every event of the type, in order. `*`: for every event. */
  on<T extends EventType>(type: T, handler: (event: LiveEvent<T>) => void | Promise<void>): Stop
  on(type: '*', handler: (event: AnyLiveEvent) => void | Promise<void>): Stop
  /** The server no longer has the events after the client's cursor: fetch again whatever is shown. Views do it by themselves. */
  onResync(handler: (reason: ResyncReason) => void): Stop
  /** Subscribes to a topic, once for all its watchers, and again after every reconnect. The newest state comes at once. */
  watch<Name extends string>(
    topic: Name,
    handler: (state: TopicState<Name>) => void,
    options?: WatchOptions,
  ): Stop
  /** Fetches, then keeps up by events, with no gap between the two. */
  view(options: ViewOptions): Stop & { reload(): Promise<void> }
  /** Tries to connect now, in place of waiting for the next try. */
  retry(): void
  /** Texts are in this language from now on: the client connects anew, and goes on where it was. */
  setLanguage(language: 'en' | 'zh'): void
  /** Ends the connection. Handlers are not called any more. */
  close(): void
}
