import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ServerFrameOf } from '../live/node-protocol.ts'
import { type Line, readLines } from './lines.ts'
import { signalGroup } from './process-group.ts'
import { MAX_LINE, type Outcome, type OutputEvents, TaskOutput, type TaskProgress } from './task-output.ts'
import { Conflated, Rate } from './throttle.ts'

/** How tasks of one type are run; never made from what the server sends. */
export interface TaskProgram {
  command: string[]
  timeout_seconds?: number | undefined
  /** All of the process's environment, but for TMPDIR. */
  env: Record<string, string>
}

export type Assignment = Omit<ServerFrameOf<'assign'>, 'type'>

export interface RunnerEvents extends OutputEvents {
  /** The process runs; `scratch` is its temporary directory. */
  started(pid: number, scratch: string): void
}

/** How much of a task's talk is passed on. */
export interface TalkLimits {
  logLinesPerSecond: number
  progressIntervalMs: number
}

/** Why a process is stopped. 'dropped': nobody waits for its outcome any more. */
export type StopReason = 'cancelled' | 'timed out' | 'dropped'

const KILL_AFTER_MS = 5000
/** How long output may stay open after the process and its group are gone: a daemon that left the group holds it. */
const OUTPUT_GRACE_MS = 2000

/** One attempt as a process of its own, leader of its own group, so that all it starts can be stopped with it. */
export class TaskRunner {
  /** undefined when it was dropped. Never rejects. */
  readonly done: Promise<Outcome | undefined>
  /** What it reported last. */
  progress: TaskProgress | undefined
  private process: Bun.Subprocess<Uint8Array, 'pipe', 'pipe'> | undefined
  private stopped: StopReason | undefined
  private killTimer: Timer | undefined
  private settled = false
  private readonly progressLane: Conflated<TaskProgress>
  private readonly logRate: Rate
  private readonly output: TaskOutput

  /** Starts at once, or when all `predecessors` are settled. */
  constructor(
    private readonly assignment: Assignment,
    private readonly program: TaskProgram,
    private readonly events: RunnerEvents,
    private readonly limits: TalkLimits,
    predecessors: Promise<unknown>[] = [],
  ) {
    this.progressLane = new Conflated((progress) => events.progress(progress), limits.progressIntervalMs)
    this.logRate = new Rate(limits.logLinesPerSecond)
    this.output = new TaskOutput({
      progress: (progress) => {
        if (this.settled) return
        this.progress = progress
        this.progressLane.set(progress)
      },
      log: (level, message) => {
        if (this.settled || !this.logRate.take()) return
        this.reportDropped()
        events.log(level, message)
      },
    })
    this.done = this.run(predecessors)
  }

  /** SIGTERM for the whole group, SIGKILL after 5 s. The first reason counts. */
  stop(reason: StopReason): void {
    if (reason === 'dropped') this.stopped = reason
    this.stopped ??= reason
    if (!this.process || this.killTimer) return
    signalGroup(this.process.pid, 'SIGTERM')
    this.killTimer = setTimeout(() => this.kill(), KILL_AFTER_MS)
  }

  /** SIGKILL for the whole group, at once; safe in an exit handler. */
  kill(): void {
    this.stopped ??= 'dropped'
    if (this.process) signalGroup(this.process.pid, 'SIGKILL')
  }

  private async run(predecessors: Promise<unknown>[]): Promise<Outcome | undefined> {
    if (predecessors.length > 0) await Promise.all(predecessors)
    const outcome = this.stopped ? { error: this.stopped } : await this.execute()
    this.settled = true
    this.progressLane.flush()
    this.reportDropped()
    if (this.stopped === 'dropped') return undefined
    if (this.stopped === 'timed out')
      return { error: `timed out after ${this.program.timeout_seconds} seconds` }
    return this.stopped ? { error: this.stopped } : outcome
  }

  private async execute(): Promise<Outcome> {
    let scratch: string | undefined
    try {
      scratch = mkdtempSync(join(tmpdir(), 'roost-task-'))
      return await this.attend(this.spawn(scratch))
    } catch (error) {
      return { error: `could not run ${this.program.command[0]}: ${(error as Error).message}` }
    } finally {
      this.process = undefined
      clearTimeout(this.killTimer)
      if (scratch) rmSync(scratch, { recursive: true, force: true })
    }
  }

  private spawn(scratch: string) {
    const { command, env } = this.program
    const { task_id, attempt, task_type, config, estimated_duration } = this.assignment
    const child = Bun.spawn(command, {
      detached: true,
      env: { TMPDIR: scratch, ...env },
      stdin: new TextEncoder().encode(
        JSON.stringify({ task_id, attempt, task_type, config, estimated_duration }),
      ),
      stdout: 'pipe',
      stderr: 'pipe',
    })
    this.process = child
    this.events.started(child.pid, scratch)
    return child
  }

  private async attend(child: Bun.Subprocess<Uint8Array, 'pipe', 'pipe'>): Promise<Outcome> {
    const seconds = this.program.timeout_seconds
    const timeout =
      seconds === undefined ? undefined : setTimeout(() => this.stop('timed out'), seconds * 1000)
    const reading = Promise.allSettled([
      eachLine(child.stdout, (line) => this.output.stdout(line)),
      eachLine(child.stderr, (line) => this.output.stderr(line)),
    ])
    const code = await child.exited
    clearTimeout(timeout)
    // What the task left running in its group belongs to nobody now.
    signalGroup(child.pid, 'SIGKILL')
    await Promise.race([reading, Bun.sleep(OUTPUT_GRACE_MS)])
    const ended = child.signalCode ? `killed by ${child.signalCode}` : `exited with code ${code}`
    return this.output.outcome(code === 0 && child.signalCode === null, ended)
  }

  private reportDropped(): void {
    const dropped = this.logRate.takeDropped()
    if (dropped > 0)
      this.events.log(
        'WARNING',
        `${dropped} lines dropped: more than ${this.limits.logLinesPerSecond} per second`,
      )
  }
}

async function eachLine(stream: ReadableStream<Uint8Array>, take: (line: Line) => void): Promise<void> {
  for await (const line of readLines(stream, MAX_LINE)) take(line)
}
