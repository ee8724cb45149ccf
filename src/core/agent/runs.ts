import { and, eq, inArray, sql } from 'drizzle-orm'
import { agentFrames, agentRuns } from '../../db/schema/index.ts'
import { trim } from '../../db/trim.ts'
import type { ChatModel } from '../../model/model.ts'
import { Ages } from '../../util/ages.ts'
import { waitAtMost } from '../../util/wait-at-most.ts'
import type { Actor, Principal } from '../accounts/principals.ts'
import type { Context, Tx } from '../context.ts'
import { AppError } from '../errors.ts'
import { message as textOf } from '../messages.ts'
import { sweepAll, sweepOne } from '../sweeps.ts'
import { type AgentEvent, type AgentFrame, EventType, endsRun } from './ag-ui.ts'
import { faultText } from './faults.ts'
import { FrameLog, RunLost } from './frame-log.ts'
import { cancelRunHint } from './hints.ts'
import { Run } from './run.ts'
import { endRun, type RunEnd } from './run-end.ts'
import { type Ask, type RunStart, startRun } from './run-start.ts'
import { type AgentRun, latestRun, ownSession } from './sessions.ts'
import { startInThread, type ThreadAsk } from './thread-start.ts'
import { Transcript } from './transcript.ts'

const HEARTBEAT_MS = 2000
/** A run is lost when it has had no heartbeat for this time. */
const DEAD_SECONDS = 15
const CLOSE_MS = 2000
const SWEEP_BATCH = 100
/** Text is gathered for this many ms into one frame; for longer when many runs stream at once. */
const GATHER_MS = 80
const GATHER_BUSY_MS = 200
const BUSY_RUNS = 20
const CANCEL_WAIT_MS = 5000

export interface StartedRun {
  runId: string
  sessionId: string
  /** The number of its first frame. */
  firstSeq: number
  /** The frames that are stored already. */
  frames: AgentFrame[]
}

/** The runs of this server. Also ends the runs of servers that were killed. */
export class AgentRuns {
  private readonly running = new Map<string, { run: Run; ended: Promise<void> }>()
  private readonly log: FrameLog
  private readonly timer: ReturnType<typeof setInterval>
  private readonly beats = new Ages()
  private beating = false
  private closed = false
  private readonly gatherMs = () => (this.running.size > BUSY_RUNS ? GATHER_BUSY_MS : GATHER_MS)

  constructor(
    private readonly ctx: Context,
    private readonly model: ChatModel,
  ) {
    this.log = new FrameLog(ctx)
    ctx.bus.subscribe(cancelRunHint, ({ runId }) => this.running.get(runId)?.run.cancel())
    this.timer = setInterval(() => void this.beat(), HEARTBEAT_MS)
  }

  /**
   * Begins to answer a message. The run goes on in the background: its frames are read with `AgentFeed`.
   * @throws AppError NOT_FOUND, RUN_IN_PROGRESS, RATE_LIMITED
   */
  async start(who: Actor, ask: Ask): Promise<StartedRun> {
    this.assertOpen()
    return this.begin(await startRun(this.ctx, who, ask))
  }

  /**
   * The same for a client that sends a conversation as it knows it.
   * @returns undefined when it says nothing that the conversation does not have already
   * @throws AppError RUN_IN_PROGRESS, CONFIRMATION_OPEN, RATE_LIMITED
   */
  async startInThread(who: Actor, ask: ThreadAsk): Promise<StartedRun | undefined> {
    this.assertOpen()
    const start = await startInThread(this.ctx, who, ask)
    return start && this.begin(start)
  }

  private assertOpen(): void {
    if (this.closed) throw new AppError('DATABASE_UNAVAILABLE')
  }

  private begin(start: RunStart): StartedRun {
    const { runId, sessionId, firstSeq, frames } = start
    const run = new Run(this.ctx, this.model, this.log, start, this.gatherMs)
    const ended = run.execute().finally(() => this.running.delete(runId))
    this.running.set(runId, { run, ended })
    if (this.closed) run.stop()
    return { runId, sessionId, firstSeq, frames }
  }

  /**
   * Cancels the run of a session, on whichever server it is, and waits a little for its end. Does nothing without a run.
   * @returns the newest run of the session; undefined: it never had one
   * @throws AppError NOT_FOUND
   */
  async cancel(who: Principal, id: string): Promise<{ sessionId: string; run: AgentRun | undefined }> {
    const { id: sessionId } = await ownSession(this.ctx, who, id)
    await this.cancelRun(sessionId)
    return { sessionId, run: await latestRun(this.ctx, sessionId) }
  }

  /** The same, whoever the session's user is. */
  async cancelRun(sessionId: string): Promise<void> {
    const [run] = await this.ctx.db
      .update(agentRuns)
      .set({ cancelRequestedAt: sql`now()` })
      .where(and(eq(agentRuns.sessionId, sessionId), eq(agentRuns.status, 'running')))
      .returning()
    if (!run) return
    const signal = AbortSignal.timeout(CANCEL_WAIT_MS)
    this.ctx.bus.publish(cancelRunHint, { runId: run.id })
    const frames = this.ctx.services.agentFeed.follow(sessionId, run.firstSeq - 1, signal)
    // The last frame is stored in the transaction that ends the run.
    for await (const { runId, event } of frames) if (runId === run.id && endsRun(event)) break
  }

  /**
   * Ends the runs whose server was killed, and keeps the text so far. With `all` it ends every run of the database: only
   * at a start on the embedded database, which no other server can use.
   * @returns how many
   */
  async sweep({ all = false } = {}): Promise<number> {
    const lost = await this.lostRuns(all)
    let ended = 0
    for (const run of lost) {
      if (this.running.has(run.id)) continue
      try {
        if (await this.endLost(run)) ended++
      } catch (error) {
        // Another server has ended it first, or its own server still runs it.
        if (!(error instanceof RunLost)) throw error
      }
    }
    return ended
  }

  /**
   * Runs without a heartbeat for DEAD_SECONDS of this server's monotonic clock. With the database's wall clock, a step of
   * that clock would make every run lost at once, or none for an hour.
   */
  private async lostRuns(all: boolean): Promise<(typeof agentRuns.$inferSelect)[]> {
    const at = performance.now()
    const seen = await this.ctx.db
      .select({
        id: agentRuns.id,
        beat: agentRuns.heartbeatAt,
        seconds: sql<number>`extract(epoch from now() - ${agentRuns.heartbeatAt})::float8`,
      })
      .from(agentRuns)
      .where(eq(agentRuns.status, 'running'))
    const beats = seen.map(({ id, beat, seconds }) => ({ id, key: `${id} ${beat.getTime()}`, seconds }))
    this.beats.look(beats, at)
    const silent = beats.filter(({ key }) => all || this.beats.of(key)! > DEAD_SECONDS * 1000)
    if (silent.length === 0) return []
    const ids = silent.slice(0, SWEEP_BATCH).map(({ id }) => id)
    return this.ctx.db
      .select()
      .from(agentRuns)
      .where(and(inArray(agentRuns.id, ids), eq(agentRuns.status, 'running')))
  }

  /** Stops the runs of this server; their text so far is kept. */
  async close(): Promise<void> {
    this.closed = true
    clearInterval(this.timer)
    for (const { run } of this.running.values()) run.stop()
    const ends = [...this.running.values()].map(({ ended }) => ended)
    await waitAtMost(CLOSE_MS, Promise.all(ends))
  }

  /** Writes the heartbeats of this server's runs, cancels those that a user has cancelled, and ends lost runs. */
  private async beat(): Promise<void> {
    if (this.beating) return
    this.beating = true
    try {
      const ids = [...this.running.keys()]
      if (ids.length > 0) {
        await sweepAll(this.ctx, ids, (tx, some) => this.keepAlive(tx, some))
      }
      await this.sweep()
    } catch (error) {
      this.ctx.log.debug({ err: error }, 'a heartbeat of the runs of the agent failed')
    } finally {
      this.beating = false
    }
  }

  private async keepAlive(tx: Tx, ids: string[]): Promise<void> {
    const alive = await tx.db
      .update(agentRuns)
      .set({ heartbeatAt: sql`now()` })
      .where(
        // Locks the rows in the order in which FrameLog locks them, so that the two cannot deadlock.
        inArray(
          agentRuns.id,
          sql`(select id from agent_runs where ${inArray(agentRuns.id, ids)}
            and status = 'running' order by id for update)`,
        ),
      )
      .returning({ id: agentRuns.id, cancelled: sql<boolean>`${agentRuns.cancelRequestedAt} is not null` })
    for (const { id, cancelled } of alive) if (cancelled) this.running.get(id)?.run.cancel()
  }

  private async endLost(run: typeof agentRuns.$inferSelect): Promise<boolean> {
    const { id: runId, sessionId, firstSeq, language } = run
    const rows = await this.ctx.db
      .select({ seq: agentFrames.seq, event: agentFrames.event })
      .from(agentFrames)
      .where(eq(agentFrames.runId, runId))
      .orderBy(agentFrames.seq)
    const transcript = new Transcript()
    for (const { event } of rows) transcript.apply(event as AgentEvent)
    const last: AgentEvent[] = [
      ...transcript.closing,
      {
        type: EventType.RUN_ERROR,
        message: textOf(faultText('SERVER_STOPPED'), language),
        code: 'SERVER_STOPPED',
      },
    ]
    const next = rows.at(-1) ? rows.at(-1)!.seq + 1 : firstSeq
    const frames = last.map((event, i) => ({ seq: next + i, runId, event: JSON.stringify(event) }))
    const end: RunEnd = { status: 'failed', error: 'SERVER_STOPPED', frames, transcript }
    return (await sweepOne(this.ctx, (tx) => endRun(tx, { runId, sessionId }, end))) !== undefined
  }
}

const KEEP_HOURS = 24

/** Deletes the frames of runs that ended a day ago; their messages stay. */
export function trimFrames(ctx: Context): Promise<number> {
  const before = sql`now() - make_interval(hours => ${KEEP_HOURS})`
  // The first condition follows from the second one. It lets PostgreSQL use the index on `at`.
  return trim(
    ctx.db,
    agentFrames,
    sql`select f.ctid from agent_frames f join agent_runs r on r.id = f.run_id
      where f.at < ${before} and r.ended_at < ${before}`,
    'f',
  )
}
