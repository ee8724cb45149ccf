/** What `connect()` and `connectTabs()` take. */

export interface ConnectOptions {
  /** Where the server is: `https://roost.example.org`. */
  url: string
  /**
   * An access token, or a function that gives one. The client calls it for each connection, and before the token expires.
   * `refused`: the server has refused the last one. Without a token (undefined, or the refused one again) the client is
   * `signed-out`. When it throws, the client tries again later.
   */
  token: string | ((refused: boolean) => Promise<string | undefined> | string | undefined)
  /** Keeps the cursor over restarts; without it the cursor is in memory. */
  cursors?: CursorStore
  /** Of the texts in events and topics, until `setLanguage` changes it. */
  language?: 'en' | 'zh'
  /** What a handler has thrown, or why the server has refused something. `reportError`, or the console, without it. */
  onError?: (error: unknown) => void
  /** For Node before version 22, which has no WebSocket: that of the package `ws`. Without any, the client is `polling`. */
  WebSocket?: SocketClass
  fetch?: Fetch
}

export interface CursorStore {
  load(): Promise<string | undefined> | string | undefined
  save(cursor: string): Promise<void> | void
}

export type Fetch = (url: string, init?: RequestInit) => Promise<Response>

export type SocketClass = new (url: string) => Socket

/** What the client uses of a WebSocket. */
export interface Socket {
  send(text: string): void
  close(code?: number): void
  // biome-ignore lint/suspicious/noExplicitAny: each implementation has event classes of its own
  onopen: ((event: any) => void) | null
  // biome-ignore lint/suspicious/noExplicitAny: each implementation has event classes of its own
  onmessage: ((event: any) => void) | null
  // biome-ignore lint/suspicious/noExplicitAny: each implementation has event classes of its own
  onerror: ((event: any) => void) | null
  // biome-ignore lint/suspicious/noExplicitAny: each implementation has event classes of its own
  onclose: ((event: any) => void) | null
}

/** Durations in milliseconds. Tests shorten them. */
export const TIMING = {
  /** From the beginning of an attempt to `welcome`, and for any short request. */
  openMs: 10_000,
  pingMs: 25_000,
  /** From a ping until the client hears anything. */
  pongMs: 10_000,
  /** The first delay between attempts; each further one is at most twice as long, up to the cap. A delay is random below that. */
  backoffMs: 500,
  backoffCapMs: 30_000,
  /** After what will not be better soon: too many sockets, a frame that the server refuses. */
  slowMs: 60_000,
  /** A connection that lives for so long was a success. */
  steadyMs: 5_000,
  /** A cut is shown when it lasts longer. */
  graceMs: 3_000,
  saveMs: 1_000,
  /** A stream that has sent nothing for so long is held back by a proxy. */
  mutedMs: 20_000,
  /** A stream that has been silent for so long is dead: the server sends a comment every 15 seconds. */
  silentMs: 40_000,
  /** When WebSockets are blocked: the delays between two attempts. The last one repeats. */
  probeMs: [5_000, 20_000, 60_000],
  /** Between two requests for the state of a topic, when WebSockets are blocked. */
  pollMs: 3_000,
}
export type Timing = typeof TIMING
