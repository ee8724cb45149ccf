import { sql } from 'drizzle-orm'
import { isUnavailable } from '../../db/errors.ts'
import { preparedSql } from '../../db/prepared.ts'
import type { Context } from '../context.ts'
import type { AgentFrame } from './ag-ui.ts'
import { agentFramesHint } from './hints.ts'

/** Frames in one statement: enough for hundreds of runs, and few enough that other queries do not wait long. */
const MAX_BATCH = 500
/** Between two statements, because a statement costs the database far more than one more frame in it. */
const PAUSE_MS = 20
export const RETRY_MS = 250
/** A run fails when the database has not stored one of its frames for this time. */
export const GIVE_UP_MS = 30_000

interface Pending {
  sessionId: string
  frame: AgentFrame
  since: number
  /** A statement carries it, or has carried it and failed. */
  sent: boolean
  resolve(): void
  reject(error: unknown): void
}

/** Another server has ended the run, because this server's heartbeats of the run were missing. */
export class RunLost extends Error {
  override name = 'RunLost'
}

/**
 * Writes the frames of all runs of this server, many in one statement: frames that are appended while a statement runs
 * go with the next one. Readers get a frame only after it is stored, so no reader has a frame that is lost when the
 * server is killed.
 */
export class FrameLog {
  private waiting: Pending[] = []
  private writing = false
  private writtenAt = 0

  constructor(private readonly ctx: Context) {}

  /** Resolves when the frame is stored. @throws RunLost; or the database's error after half a minute */
  append(sessionId: string, frame: AgentFrame): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ sessionId, frame, since: performance.now(), sent: false, resolve, reject })
      if (!this.writing) void this.write()
    })
  }

  /** Removes the frames of a run that no statement has carried yet: the caller stores them. `append` resolves for them. */
  takeBack(runId: string): AgentFrame[] {
    const isTaken = (one: Pending) => one.frame.runId === runId && !one.sent
    const taken = this.waiting.filter(isTaken)
    this.waiting = this.waiting.filter((one) => !isTaken(one))
    for (const { resolve } of taken) resolve()
    return taken.map(({ frame }) => frame)
  }

  private async write(): Promise<void> {
    this.writing = true
    // Frames that are appended in the same turn of the event loop join the batch. A run that ends in it takes them back.
    await new Promise<void>((resolve) => setImmediate(resolve))
    while (this.waiting.length > 0) {
      const wait = this.writtenAt + PAUSE_MS - performance.now()
      if (wait > 0) await Bun.sleep(wait)
      this.writtenAt = performance.now()
      const batch = this.waiting.splice(0, MAX_BATCH)
      if (batch.length === 0) break
      for (const one of batch) one.sent = true
      try {
        const stored = await this.store(batch)
        for (const { frame, resolve, reject } of batch) {
          if (stored.has(`${frame.runId} ${frame.seq}`)) resolve()
          else reject(new RunLost())
        }
      } catch (error) {
        const late = (one: Pending) => !isUnavailable(error) || performance.now() - one.since > GIVE_UP_MS
        for (const one of batch) if (late(one)) one.reject(error)
        this.waiting.unshift(...batch.filter((one) => !late(one)))
        await Bun.sleep(RETRY_MS)
      }
    }
    this.writing = false
  }

  /** @returns the stored frames: only frames of runs that have not ended are stored */
  private async store(batch: Pending[]): Promise<Set<string>> {
    const input = batch.map(({ sessionId, frame }) => ({
      s: sessionId,
      r: frame.runId,
      n: frame.seq,
      e: frame.event,
    }))
    const rows = await insertFrames(this.ctx.db).execute({ frames: JSON.stringify(input) })
    const stored = new Set(rows.map(({ runId, seq }) => `${runId} ${seq}`))
    const batches = new Map<string, AgentFrame[]>()
    for (const { sessionId, frame } of batch) {
      if (!stored.has(`${frame.runId} ${frame.seq}`)) continue
      const frames = batches.get(sessionId)
      if (frames) frames.push(frame)
      else batches.set(sessionId, [frame])
    }
    this.ctx.bus.publish(
      agentFramesHint,
      [...batches].map(([sessionId, frames]) => ({ sessionId, frames })),
    )
    return stored
  }
}

/**
 * `for share` keeps another server from ending the run before this statement commits. When the answer to a commit is lost,
 * the batch is written again: frames of the same run that are there already count as stored.
 */
const insertFrames = preparedSql<{ runId: string; seq: string }>(
  'insert_agent_frames',
  sql`
    with incoming as (
      select * from json_to_recordset(${sql.placeholder('frames')}::text::json) as x(s uuid, r uuid, n bigint, e text)
    ), live as (
      select id from agent_runs where id in (select r from incoming) and status = 'running' order by id for share
    )
    insert into agent_frames (session_id, seq, run_id, event)
    select s, n, r, e::json from incoming join live on live.id = r
    on conflict (session_id, seq) do update set run_id = agent_frames.run_id
      where agent_frames.run_id = excluded.run_id
    returning run_id as "runId", seq`,
)
