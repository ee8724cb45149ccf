import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { NodeFrame, NodeFrameOf } from '../live/node-protocol.ts'
import type { Log } from './log.ts'
import { identify, killLeftovers, type ProcessIdentity } from './process-group.ts'
import type { Results } from './results.ts'
import { type Assignment, type TalkLimits, type TaskProgram, TaskRunner } from './runner.ts'
import { type Lease, leaseKey, StateFiles } from './state-files.ts'
import type { Outcome } from './task-output.ts'

/** What must be known about a process to clean up after a node that was killed. */
interface ProcessRecord extends Lease {
  process: ProcessIdentity | undefined
  scratch: string
}

export interface TasksOptions {
  stateDir: string
  programs: ReadonlyMap<string, TaskProgram>
  maxConcurrent: number
  results: Results
  send(frame: NodeFrame): void
  /** A result was added to `results`, or an attempt ended without one. */
  settled(): void
  log: Log
}

/** The server sends a node away that says much more than this, of each kind, per second. */
const FRAMES_PER_SECOND = 200

/** At most 50 log lines and 10 reports of progress a second; less on a node whose tasks are many. */
function talkLimits(maxConcurrent: number): TalkLimits {
  const share = FRAMES_PER_SECOND / maxConcurrent
  return {
    logLinesPerSecond: Math.min(50, Math.max(1, Math.floor(share))),
    progressIntervalMs: Math.max(100, 1000 / share),
  }
}

/** The attempts that run here: takes them, replaces them, ends them. */
export class Tasks {
  /** Why nothing new is taken at present; the reason is told to the server. */
  refusing: string | undefined
  private readonly running = new Map<string, { lease: Lease; runner: TaskRunner }>()
  /** Their processes, and those of dropped attempts until they are dead. */
  private readonly runners = new Map<TaskRunner, Lease>()
  private readonly records: StateFiles<ProcessRecord>

  constructor(private readonly options: TasksOptions) {
    this.records = new StateFiles(join(options.stateDir, 'running'))
    for (const record of this.records.load()) this.cleanUp(record)
  }

  get count(): number {
    return this.running.size
  }

  leases(): Lease[] {
    return [...this.running.values()].map(({ lease }) => lease)
  }

  /** What each running attempt last reported, for a server that may have missed it. */
  progress(): NodeFrameOf<'progress'>[] {
    return [...this.running.values()].flatMap(({ lease, runner }) =>
      runner.progress ? [{ type: 'progress' as const, ...lease, ...runner.progress }] : [],
    )
  }

  /** Answers at once. A newer attempt of a task replaces the older one, and starts when that one's process is dead. */
  assign(assignment: Assignment): void {
    const { programs, results, send, log } = this.options
    const { task_id, attempt, task_type } = assignment
    const lease = { task_id, attempt }
    if (this.running.has(leaseKey(lease)) || results.has(lease)) {
      send({ type: 'accept', ...lease })
      results.repeat(lease)
      this.options.settled()
      return
    }
    const program = programs.get(task_type)
    const older = [...this.running.values()].find((other) => other.lease.task_id === task_id)
    const reason = program ? this.refusal(attempt, older?.lease) : 'unknown task type'
    if (!program || reason !== undefined) {
      log.info(`rejected ${task_type} ${task_id}: ${reason}`)
      send({ type: 'reject', ...lease, reason: reason ?? '' })
      return
    }
    send({ type: 'accept', ...lease })
    if (older) this.drop(older.lease)
    this.start(assignment, program)
  }

  /** Stops it and reports it failed, 'cancelled'. */
  cancel(lease: Lease): void {
    this.running.get(leaseKey(lease))?.runner.stop('cancelled')
  }

  /** Stops it and forgets it: the attempt is no longer ours. */
  drop(lease: Lease): void {
    const key = leaseKey(lease)
    this.running.get(key)?.runner.stop('dropped')
    this.running.delete(key)
    this.options.results.drop(lease)
    this.options.settled()
  }

  /** SIGKILL for everything, reporting nothing: the server gives the attempts to another node. For exit handlers too. */
  killAll(): void {
    for (const runner of this.runners.keys()) runner.kill()
  }

  private refusal(attempt: number, older: Lease | undefined): string | undefined {
    if (this.refusing !== undefined) return this.refusing
    if (older && older.attempt > attempt) return 'a newer attempt of this task runs here'
    return this.running.size - (older ? 1 : 0) < this.options.maxConcurrent ? undefined : 'busy'
  }

  private start(assignment: Assignment, program: TaskProgram): void {
    const { send, log } = this.options
    const { task_id, attempt, task_type } = assignment
    const lease = { task_id, attempt }
    const sendIfOurs = (frame: NodeFrame) => {
      if (this.running.has(leaseKey(lease))) send(frame)
    }
    // Two processes of one task would meet in whatever the task writes to.
    const predecessors = [...this.runners].filter(([, other]) => other.task_id === task_id)
    const runner = new TaskRunner(
      assignment,
      program,
      {
        started: (pid, scratch) => this.record({ ...lease, process: identify(pid), scratch }),
        progress: (progress) => sendIfOurs({ type: 'progress', ...lease, ...progress }),
        log: (level, message) => sendIfOurs({ type: 'log', ...lease, level, message }),
      },
      talkLimits(this.options.maxConcurrent),
      predecessors.map(([{ done }]) => done),
    )
    this.runners.set(runner, lease)
    this.running.set(leaseKey(lease), { lease, runner })
    log.info(`task ${task_id} (${task_type}, attempt ${attempt}) started`)
    runner.done.then((outcome) => this.finish(lease, runner, outcome))
  }

  private finish(lease: Lease, runner: TaskRunner, outcome: Outcome | undefined): void {
    const { results, log, settled } = this.options
    this.runners.delete(runner)
    if (outcome && 'result' in outcome) {
      results.add({ type: 'completed', ...lease, ...outcome })
      log.info(`task ${lease.task_id} completed`)
    } else if (outcome) {
      results.add({ type: 'failed', ...lease, ...outcome })
      log.warn(`task ${lease.task_id} failed: ${outcome.error}`)
    } else {
      log.info(`task ${lease.task_id} (attempt ${lease.attempt}) stopped: no longer ours`)
    }
    this.running.delete(leaseKey(lease))
    this.records.remove(lease)
    settled()
  }

  private record(record: ProcessRecord): void {
    try {
      this.records.save(record)
    } catch (error) {
      this.options.log.error(
        `the process of ${record.task_id} could not be noted: ${(error as Error).message}`,
      )
    }
  }

  /** An earlier run of this program was killed: its processes are not, and nobody hears them any more. */
  private cleanUp(record: ProcessRecord): void {
    if (record.process && killLeftovers(record.process))
      this.options.log.warn(`killed the process of ${record.task_id}, left by an earlier run`)
    rmSync(record.scratch, { recursive: true, force: true })
    this.records.remove(record)
  }
}
