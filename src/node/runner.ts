import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NodeServerFrameOf } from '../protocol/node/server-frames.ts'
import type { Placement } from './devices.ts'
import { LineSplitter, splitStream } from './lines.ts'
import { signalGroup } from './process-group.ts'
import { type Failure, MAX_LINE, type Outcome, type OutputEvents, TaskOutput } from './task-output.ts'

/** How tasks of one type are run. Nothing in it comes from the server. */
export interface TaskProgram {
  command: string[]
  timeout_seconds?: number | undefined
  /** The environment of the process, without TMPDIR and the variables for its GPUs. */
  env: Record<string, string>
  /** How many GPUs a task gets. Default 1. */
  gpus?: number | undefined
  /** Files that the command names. Without one of them the program cannot start. */
  files?: string[]
}

export type Assignment = Omit<NodeServerFrameOf<'assign'>, 'type'>

export interface RunnerEvents extends OutputEvents {
  /** Called when the attempt starts. `release` is called after its end. */
  place(): Placement
  release(placement: Placement): void
  /** The process runs; `scratch` is its temporary directory. */
  started(pid: number, scratch: string, placement: Placement): void
}

/** Why the node stops a process. `dropped`: its outcome is not needed any more. */
export type StopReason = 'cancelled' | 'timed out' | 'dropped'

/** The program could not be started. */
export interface CannotStart {
  cannotStart: string
}

const KILL_AFTER_MS = 5000
/**
 * How long silent output may stay open after the process and its group are gone, because a daemon that left the group
 * holds it.
 */
const OUTPUT_GRACE_MS = 2000
const MAX_OUTPUT_GRACE_MS = 10_000

type Child = Bun.Subprocess<Uint8Array, 'pipe', 'pipe'>

/** One attempt: a process that leads a process group, so that all its children can be stopped with it. */
export class TaskRunner {
  /** Undefined when the attempt was dropped. Never rejects. */
  readonly done: Promise<Outcome | CannotStart | undefined>
  private process: Child | undefined
  private stopped: StopReason | undefined
  private killTimer: Timer | undefined
  private heardAt = 0
  private readonly output: TaskOutput

  /** Starts when all `predecessors` have ended. */
  constructor(
    private readonly assignment: Assignment,
    private readonly program: TaskProgram,
    private readonly events: RunnerEvents,
    predecessors: Promise<unknown>[] = [],
  ) {
    this.output = new TaskOutput(events)
    this.done = this.run(predecessors)
  }

  /** Sends SIGTERM to the whole group, and SIGKILL after 5 s. The first reason counts. */
  stop(reason: StopReason): void {
    if (reason === 'dropped') this.stopped = reason
    this.stopped ??= reason
    if (!this.process || this.killTimer) return
    signalGroup(this.process.pid, 'SIGTERM')
    this.killTimer = setTimeout(() => this.kill(), KILL_AFTER_MS)
  }

  /** Sends SIGKILL to the whole group at once. Safe in an exit handler. */
  kill(): void {
    this.stopped ??= 'dropped'
    if (this.process) signalGroup(this.process.pid, 'SIGKILL')
  }

  private async run(predecessors: Promise<unknown>[]): Promise<Outcome | CannotStart | undefined> {
    if (predecessors.length > 0) await Promise.all(predecessors)
    const outcome = this.failure() ?? (await this.execute())
    return this.stopped === 'dropped' ? undefined : outcome
  }

  private async execute(): Promise<Outcome | CannotStart> {
    const placement = this.events.place()
    let scratch: string | undefined
    try {
      let child: Child
      try {
        scratch = mkdtempSync(join(tmpdir(), 'roost-task-'))
        child = this.spawn(scratch, placement)
      } catch (error) {
        return { cannotStart: `${this.program.command[0]}: ${(error as Error).message}` }
      }
      this.process = child
      this.events.started(child.pid, scratch, placement)
      return await this.attend(child)
    } catch (error) {
      return { error: `could not run ${this.program.command[0]}: ${(error as Error).message}` }
    } finally {
      this.process = undefined
      clearTimeout(this.killTimer)
      this.events.release(placement)
      if (scratch) rmSync(scratch, { recursive: true, force: true })
    }
  }

  private spawn(scratch: string, { gpus, env }: Placement): Child {
    const { program, assignment } = this
    const missing = program.files?.find((file) => !existsSync(file))
    if (missing !== undefined) throw new Error(`ENOENT: ${missing} is not there any more`)
    const { task_id, id, attempt, task_type, config, estimated_duration } = assignment
    const task = { task_id, id, attempt, task_type, config, estimated_duration, gpus }
    return Bun.spawn(program.command, {
      detached: true,
      env: { TMPDIR: scratch, ...env, ...program.env },
      stdin: new TextEncoder().encode(JSON.stringify(task)),
      stdout: 'pipe',
      stderr: 'pipe',
    })
  }

  private async attend(child: Child): Promise<Outcome> {
    const seconds = this.program.timeout_seconds
    const timeout =
      seconds === undefined ? undefined : setTimeout(() => this.stop('timed out'), seconds * 1000)
    const { output } = this
    const stdout = new LineSplitter(MAX_LINE, {
      line: (line) => output.stdout(line),
      state: (text) => output.stdoutState(text),
      overwritten: (line) => output.stdoutOverwritten(line),
    })
    const stderr = new LineSplitter(MAX_LINE, {
      line: (line) => output.stderr(line),
      state: (text) => output.state(text),
    })
    const heard = () => {
      this.heardAt = performance.now()
    }
    const reading = Promise.allSettled([
      splitStream(child.stdout, stdout, heard),
      splitStream(child.stderr, stderr, heard),
    ])
    const code = await child.exited
    clearTimeout(timeout)
    // Nothing needs the processes that the task left in its group.
    signalGroup(child.pid, 'SIGKILL')
    await Promise.race([reading, this.silence()])
    stdout.end()
    stderr.end()
    // Bun's type allows a number; Node.js's does not.
    const signal = child.signalCode === null ? null : String(child.signalCode)
    return output.outcome({ code: signal === null ? code : null, signal }, this.failure())
  }

  /** Resolves when the output is silent, although it is still open. */
  private async silence(): Promise<void> {
    const from = performance.now()
    this.heardAt = from
    for (let now = from; now - this.heardAt < OUTPUT_GRACE_MS && now - from < MAX_OUTPUT_GRACE_MS; ) {
      await Bun.sleep(OUTPUT_GRACE_MS / 10)
      now = performance.now()
    }
  }

  /** Why the task failed, when the node stopped it. */
  private failure(): Failure | undefined {
    const { stopped } = this
    const seconds = this.program.timeout_seconds ?? 0
    if (stopped === 'timed out')
      return { error: `timed out after ${seconds} seconds`, code: 'timed_out', seconds }
    return stopped && { error: stopped, code: 'cancelled' }
  }
}
