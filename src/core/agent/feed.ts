import { and, asc, eq, gt, sql } from 'drizzle-orm'
import type { Bus } from '../../bus/bus.ts'
import type { Db } from '../../db/client.ts'
import { prepared } from '../../db/prepared.ts'
import { agentFrames } from '../../db/schema/index.ts'
import type { AgentFrame } from './ag-ui.ts'
import { agentFramesHint } from './hints.ts'

/** So many frames may wait for a slow reader; beyond that, the reader reads them from the log. */
const MAX_HELD = 64
const PAGE = 100
/** How late a frame may be when its hint was lost. */
const POLL_MS = 2000
const RETRY_MS = 500

interface Reader {
  /** The frames that hints have brought since the last read; undefined: too many, or hints may be lost, so read the log. */
  held: AgentFrame[] | undefined
  wake: () => void
}

/**
 * Follows the frames of sessions, on whichever server their runs are. The frames in the database count; hints only save
 * most of the reads. A reader holds a position and a few frames, however slow it is.
 */
export class AgentFeed {
  private readonly readers = new Map<string, Set<Reader>>()

  constructor(
    private readonly db: Db,
    bus: Bus,
  ) {
    bus.subscribe(agentFramesHint, (batches) => {
      for (const { sessionId, frames } of batches) {
        for (const reader of this.readers.get(sessionId) ?? []) {
          if (reader.held && reader.held.length + frames.length <= MAX_HELD) reader.held.push(...frames)
          else reader.held = undefined
          reader.wake()
        }
      }
    })
    bus.onGap(() => {
      for (const readers of this.readers.values()) {
        for (const reader of readers) {
          reader.held = undefined
          reader.wake()
        }
      }
    })
  }

  /**
   * Yields the frames after `seq` as they are stored, in order and each once. Ends only when its signal is aborted.
   * @param known the stored frames after `seq`, of a caller who has just stored them; without it, the reader reads the log
   */
  async *follow(
    sessionId: string,
    seq: number,
    signal: AbortSignal,
    known?: AgentFrame[],
  ): AsyncGenerator<AgentFrame, void> {
    const reader: Reader = { held: known, wake: () => {} }
    const readers = this.readers.get(sessionId) ?? new Set()
    this.readers.set(sessionId, readers.add(reader))
    const stop = () => reader.wake()
    signal.addEventListener('abort', stop)
    try {
      while (!signal.aborted) {
        let frames = reader.held?.filter((frame) => frame.seq > seq)
        reader.held = []
        // Hints may be lost, and hints of two servers may arrive in any order.
        if (!frames?.every((frame, i) => frame.seq === seq + 1 + i)) {
          frames = await this.read(sessionId, seq).catch(() => undefined)
          if (!frames) {
            // The database does not answer: the reader keeps its position and tries again.
            await Bun.sleep(RETRY_MS)
            reader.held = undefined
            continue
          }
        }
        if (frames.length === PAGE) reader.held = undefined
        for (const frame of frames) {
          seq = frame.seq
          yield frame
          if (signal.aborted) return
        }
        if (reader.held?.length === 0) await this.wait(reader, signal)
      }
    } finally {
      signal.removeEventListener('abort', stop)
      readers.delete(reader)
      if (readers.size === 0 && this.readers.get(sessionId) === readers) this.readers.delete(sessionId)
    }
  }

  /** The frames after `seq` that are stored now. */
  async stored(sessionId: string, seq: number): Promise<AgentFrame[]> {
    const frames: AgentFrame[] = []
    for (;;) {
      const page = await this.read(sessionId, frames.at(-1)?.seq ?? seq)
      frames.push(...page)
      if (page.length < PAGE) return frames
    }
  }

  /** Whether frames after `seq` are stored now. The frames of a run are kept for a day after its end. */
  async hasAfter(sessionId: string, seq: number): Promise<boolean> {
    const [frame] = await this.db
      .select({ seq: agentFrames.seq })
      .from(agentFrames)
      .where(and(eq(agentFrames.sessionId, sessionId), gt(agentFrames.seq, seq)))
      .limit(1)
    return frame !== undefined
  }

  private wait(reader: Reader, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve()
      const timer = setTimeout(() => {
        reader.held = undefined
        reader.wake()
      }, POLL_MS)
      reader.wake = () => {
        clearTimeout(timer)
        reader.wake = () => {}
        resolve()
      }
    })
  }

  private read(sessionId: string, seq: number): Promise<AgentFrame[]> {
    return framesAfter(this.db).execute({ sessionId, seq })
  }
}

const framesAfter = prepared((db) =>
  db
    .select({
      seq: agentFrames.seq,
      runId: agentFrames.runId,
      event: sql<string>`${agentFrames.event}::text`,
    })
    .from(agentFrames)
    .where(
      and(
        eq(agentFrames.sessionId, sql.placeholder('sessionId')),
        gt(agentFrames.seq, sql.placeholder('seq')),
      ),
    )
    .orderBy(asc(agentFrames.seq))
    .limit(PAGE)
    .prepare('agent_frames_after'),
)
