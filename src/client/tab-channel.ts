/** What tabs of one browser tell each other. */
import type { TaskLogFrame } from '../protocol/live/topics.ts'
import type { AgentEventFrame, AnyLiveEvent, Status, TopicError } from './live-client.ts'
import type { TopicFrom } from './topics.ts'

export type TabMessage =
  /** Of any tab: who leads? */
  | { kind: 'hello' }
  /** Of the leader: its status, and the position up to which it has told every event. */
  | { kind: 'leader'; status: Status; retryAt: number | undefined; cursor: string | undefined }
  | { kind: 'event'; event: AnyLiveEvent }
  /** The leader's log has a break. Each tab asks the server what that means for its own position. */
  | { kind: 'resync'; cursor: string }
  | { kind: 'retry' }
  /** To the leader: the topics of a tab. */
  | { kind: 'open'; topic: string; at: TopicFrom; id: number }
  | { kind: 'close'; topic: string }
  /** To one tab. */
  | { kind: 'acknowledged'; to: string; topic: string; id: number }
  | { kind: 'state'; to: string; topic: string; state: unknown }
  | { kind: 'log'; to: string; topic: string; line: TaskLogFrame }
  | { kind: 'agent'; to: string; frame: AgentEventFrame }
  | { kind: 'ended'; to: string; topic: string; error: TopicError }

/** What tabs need of the browser. */
export interface TabPlatform {
  locks: Locks
  Channel: new (name: string) => Channel
}

interface Locks {
  request<T>(
    name: string,
    options: { signal?: AbortSignal; steal?: boolean },
    work: () => Promise<T>,
  ): Promise<T>
}

interface Channel {
  postMessage(message: unknown): void
  close(): void
  // biome-ignore lint/suspicious/noExplicitAny: each implementation has event classes of its own
  onmessage: ((event: any) => void) | null
}

/** Undefined where a browser has no locks (pages over plain HTTP), and where there is no browser. */
export function browserTabs(): TabPlatform | undefined {
  const { navigator, BroadcastChannel } = globalThis as {
    navigator?: { locks?: Locks }
    BroadcastChannel?: TabPlatform['Channel']
  }
  const locks = navigator?.locks
  return locks && BroadcastChannel && { locks, Channel: BroadcastChannel }
}
