import type { Principal } from '../../core/accounts/principals.ts'
import type { Context } from '../../core/context.ts'
import type { Language } from '../../core/messages.ts'

/** Reads the current values of many topics of one kind, by key. A topic that no longer exists is absent. */
export type ReadCurrent = (ctx: Context, keys: string[]) => Promise<Map<string, object>>

interface Named {
  /** As the client wrote it; identifies the subscription on its socket. */
  name: string
  /** Whether this user may watch it. The server asks again when a role may have changed, so it must not query. */
  permits(who: Principal): boolean
}

/** A topic with a current value. A new value replaces one that was not sent yet. */
export interface StateTopic extends Named {
  /** The key of the state that the topic follows. Several names may follow one state. */
  key: string
  readCurrent: ReadCurrent
  /** The frame for a value: of the bus under `key`, or of `readCurrent`. */
  render(value: object): string
  /** Whether the frame of this value changes with the time alone. The server then renders it anew twice a second. */
  isMoving?(value: object): boolean
}

/** A topic whose frames are all sent, in order, from a position on. */
export interface StreamTopic extends Named {
  /** Frames as text; ends with the signal. */
  follow(signal: AbortSignal): AsyncIterable<string>
}

/** A topic has a current value, a stream of frames, or both. */
export type Topic = StateTopic | StreamTopic | (StateTopic & StreamTopic)

/** The last frames of streams that a client has. */
export interface StreamPositions {
  /** Number of the last frame of an agent's session. */
  agentSeq?: number | undefined
  /** Position of the last line of a task's log. */
  logPosition?: number | undefined
}

export interface OpenTopic {
  ctx: Context
  who: Principal
  /** The name of the topic. */
  name: string
  /** The part of the name that its pattern captures. */
  id: string
  /** What the client has. */
  from: StreamPositions
  /** The language of the texts in frames. */
  language: Language
}

/** One kind of topic; each has a file of its own in this folder. */
export interface TopicKind {
  /** Matches the names of this kind and captures the id in them. */
  pattern: RegExp
  /** @throws AppError NOT_FOUND when it does not exist for this user */
  open(request: OpenTopic): Promise<Topic>
  /**
   * Subscribes to changes that the bus does not tell by the state of the topic's own key. `changed` makes the hub read the
   * value again for the clients that watch the key, after `delayMs` when there is one; calls in that time count once.
   * @returns what ends a timer of the kind when the server stops
   */
  listen?(ctx: Context, changed: (key: string, delayMs?: number) => void): (() => void) | undefined
}

/**
 * Makes a {@link ReadCurrent} of a function that reads by id.
 * @param toKey ends the key with a colon and the id
 * @param toId the id of that last part of the key
 */
export const readByKey =
  <Id>(
    read: (ctx: Context, ids: Id[]) => Promise<Map<Id, object>>,
    toKey: (id: Id) => string,
    toId: (text: string) => Id,
  ): ReadCurrent =>
  async (ctx, keys) => {
    const values = await read(
      ctx,
      keys.map((key) => toId(key.slice(key.lastIndexOf(':') + 1))),
    )
    return new Map([...values].map(([id, value]) => [toKey(id), value]))
  }

/** The text of the presented value. It is made once, because one value goes out to many sockets. */
export function sharedText<V extends object>(present: (value: V) => object): (value: object) => string {
  const texts = new WeakMap<object, string>()
  return (value) => {
    let text = texts.get(value)
    if (text === undefined) {
      text = JSON.stringify(present(value as V))
      texts.set(value, text)
    }
    return text
  }
}
