/**
 * What several servers tell each other. Everything here may be lost without harm: hints only hasten what a
 * look at the database would find, and present state is replaced by its next value.
 */

/** An event as the log holds it; `data` is JSON text, sent to sockets as it is. */
export interface LoggedEvent {
  userId: number
  seq: number
  type: string
  data: string
  /** RFC 3339, UTC. */
  at: string
}

/** A stored frame of a session of the agent; `event` is JSON text. */
export interface AgentFrame {
  seq: number
  runId: string
  event: string
}

export interface Hints {
  /** The log grew by these. */
  events: LoggedEvent[]
  /** Forget what is cached of a session, or of all sessions of a user. */
  principals: { userId: number; sessionId?: string }
  /** A material became active, or is no longer. */
  materials: { id: number; type: 'video' | 'pdf'; active: boolean }
  /** A GPU task waits in the queue. */
  queue: null
  /** Sessions of the agent have these new frames, oldest first. */
  agent: { sessionId: string; frames: AgentFrame[] }[]
  /** For the server that runs it. */
  agent_cancel: { runId: string }
  /** For the server that holds the node's socket. */
  node: { nodeId: number; command: NodeCommand }
}

export type NodeCommand =
  | { type: 'cancel' | 'lost'; taskId: string; attempt: number }
  | { type: 'changed' }
  | { type: 'revoked' }

export interface Bus {
  readonly kind: 'embedded' | 'redis'
  /** Tells every server, this one first and synchronously. */
  publish<K extends keyof Hints>(channel: K, hint: Hints[K]): void
  subscribe<K extends keyof Hints>(channel: K, handler: (hint: Hints[K]) => void): void

  /** The newest value of a topic, kept by every server for some minutes; undefined removes it. */
  setState(key: string, value: object | undefined): void
  getState(key: string): object | undefined
  /** How long ago this server heard that state, in ms. */
  stateAge(key: string): number | undefined
  onState(handler: (key: string, value: object | undefined) => void): void

  /** Keeps a short-lived value that can be taken once. */
  put(key: string, value: string, ttlMs: number): Promise<void>
  take(key: string): Promise<string | undefined>
  /**
   * Adds one to a counter that begins with its first increment and ends `windowMs` later. At `max` it counts no
   * further: the answer is one more than that then.
   */
  increment(key: string, windowMs: number, max: number): Promise<{ count: number; resetMs: number }>
  /** Takes one back; a counter of nothing has ended. */
  decrement(key: string): Promise<void>

  /** Called when hints may have been lost (the broker was away). */
  onGap(handler: () => void): void
  /** Round trip in milliseconds. */
  ping(): Promise<number>
  close(): Promise<void>
}
