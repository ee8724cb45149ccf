import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { cutText } from '../util/cut.ts'
import { type Device, DevicePool, namedDevices, type Placement } from './devices.ts'
import type { Log } from './log.ts'
import type { Outbox } from './outbox.ts'
import { identify, killLeftovers, type ProcessIdentity } from './process-group.ts'
import type { Results } from './results.ts'
import { type Assignment, type CannotStart, type TaskProgram, TaskRunner } from './runner.ts'
import { type Lease, leaseKey, StateFiles } from './state-files.ts'
import type { Outcome } from './task-output.ts'

/** What the next run must know about a process when this node is killed. */
interface ProcessRecord extends Lease {
  /** The task's name for the log. Records of older versions do not have it. */
  name?: string
  process: ProcessIdentity | undefined
  scratch: string
}

export interface TasksOptions {
  stateDir: string
  programs: ReadonlyMap<string, TaskProgram>
  /** The current devices: GPUs may come and go. */
  machine: { readonly slots: number; readonly devices: Device[] }
  /** The node's `CUDA_VISIBLE_DEVICES`. */
  visibleDevices: string | undefined
  results: Results
  outbox: Outbox
  /** Called when a result is to be sent, or when an attempt ended without a result. */
  heldChanged(): void
  log: Log
}

/** The longest text in a `reject`. */
const MAX_DETAIL = 1000

/** The attempts that run on this node. */
export class Tasks {
  /** Why the node takes no new task now. The server gets this reason. */
  refusing: string | undefined
  private readonly running = new Map<string, { lease: Lease; runner: TaskRunner }>()
  /** The processes of the attempts, and of dropped attempts until they are dead. */
  private readonly runners = new Map<TaskRunner, Lease>()
  private readonly records: StateFiles<ProcessRecord>
  private readonly pool = new DevicePool()

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

  /**
   * Answers at once with `accept` or `reject`. A newer attempt of a task replaces the older one: the node accepts it at once
   * and starts it when the process of the older one is dead.
   */
  assign(assignment: Assignment): void {
    const { programs, results, outbox, log } = this.options
    const { task_id, attempt, task_type } = assignment
    const lease = { task_id, attempt }
    if (this.running.has(leaseKey(lease)) || results.has(lease)) {
      outbox.urgent({ type: 'accept', ...lease })
      results.repeat(lease)
      this.options.heldChanged()
      return
    }
    const program = programs.get(task_type)
    const older = [...this.running.values()].find((other) => other.lease.task_id === task_id)
    const reason = program ? this.refusal(attempt, older?.lease) : 'unknown task type'
    if (!program || reason !== undefined) {
      log.info(`rejected ${named(assignment)}: ${reason}`)
      outbox.urgent({ type: 'reject', ...lease, reason: reason ?? '' })
      return
    }
    if (older) this.drop(older.lease)
    this.start(assignment, program)
  }

  /** Stops the attempt and reports that it failed with the code `cancelled`. */
  cancel(lease: Lease): void {
    this.running.get(leaseKey(lease))?.runner.stop('cancelled')
  }

  /** Stops an attempt that does not belong to this node any more, and reports nothing. */
  drop(lease: Lease): void {
    const key = leaseKey(lease)
    this.running.get(key)?.runner.stop('dropped')
    this.running.delete(key)
    this.options.outbox.discard(lease)
    this.options.results.drop(lease)
    this.options.heldChanged()
  }

  /**
   * Kills all processes and reports nothing, because the server gives the attempts to other nodes. Also for exit
   * handlers.
   */
  killAll(): void {
    for (const runner of this.runners.keys()) runner.kill()
  }

  private refusal(attempt: number, older: Lease | undefined): string | undefined {
    if (this.refusing !== undefined) return this.refusing
    if (older && older.attempt > attempt) return 'a newer attempt of this task runs here'
    return this.running.size - (older ? 1 : 0) < this.options.machine.slots ? undefined : 'busy'
  }

  private start(assignment: Assignment, program: TaskProgram): void {
    const { outbox, log } = this.options
    const { task_id, attempt } = assignment
    const lease = { task_id, attempt }
    const lane = outbox.lane(lease)
    const accept = () => outbox.urgent({ type: 'accept', ...lease })
    // Two processes of one task would write to the same places.
    const predecessors = [...this.runners].filter(([, other]) => other.task_id === task_id)
    if (predecessors.length > 0) accept()
    const runner = new TaskRunner(
      assignment,
      program,
      {
        place: () => this.place(program),
        release: (placement) => this.pool.release(placement),
        started: (pid, scratch, { devices }) => {
          if (predecessors.length === 0) accept()
          this.record({ ...lease, name: named(assignment), process: identify(pid), scratch })
          const where = devices.length > 0 ? ` on GPU ${devices.map(({ name }) => name).join(', ')}` : ''
          log.info(`${named(assignment)} started${where}, process ${pid}`)
        },
        progress: (progress) => lane.progress(progress),
        log: (level, message) => lane.log(level, message),
      },
      predecessors.map(([{ done }]) => done),
    )
    this.runners.set(runner, lease)
    this.running.set(leaseKey(lease), { lease, runner })
    runner.done.then((outcome) => this.finish(assignment, runner, outcome))
  }

  private place({ gpus = 1, env }: TaskProgram): Placement {
    const { machine, visibleDevices } = this.options
    // A configuration that sets the task's GPUs wins.
    const own = env.CUDA_VISIBLE_DEVICES
    if (own === undefined) return this.pool.place(machine.devices, gpus, visibleDevices)
    const named = namedDevices(
      own,
      machine.devices.flatMap(({ gpu }) => gpu ?? []),
    )
    return this.pool.place(named, named.length, own)
  }

  private finish(
    assignment: Assignment,
    runner: TaskRunner,
    outcome: Outcome | CannotStart | undefined,
  ): void {
    const { results, outbox, log, heldChanged } = this.options
    const { task_id, attempt } = assignment
    const lease = { task_id, attempt }
    const name = named(assignment)
    this.runners.delete(runner)
    if (!outcome) {
      log.info(`${name} stopped: the attempt does not belong to this node any more`)
    } else if ('cannotStart' in outcome) {
      const detail = cutText(outcome.cannotStart, MAX_DETAIL, '…')
      log.error(`${name} cannot start and was given back: ${detail}`)
      outbox.discard(lease)
      outbox.urgent({ type: 'reject', ...lease, reason: 'cannot_start', detail })
    } else if ('result' in outcome) {
      results.add({ type: 'completed', ...lease, ...outcome }, name)
      log.info(`${name} completed`)
    } else {
      results.add({ type: 'failed', ...lease, ...outcome }, name)
      log.warn(`${name} failed: ${outcome.error}`)
    }
    outbox.end(lease)
    this.running.delete(leaseKey(lease))
    this.records.remove(lease)
    heldChanged()
  }

  private record(record: ProcessRecord): void {
    try {
      this.records.save(record)
    } catch (error) {
      this.options.log.error(`the process of ${record.name} could not be noted: ${(error as Error).message}`)
    }
  }

  /** Kills the processes of an earlier run that was killed itself. Their output is lost. */
  private cleanUp(record: ProcessRecord): void {
    if (record.process && killLeftovers(record.process))
      this.options.log.warn(
        `killed the process of ${record.name ?? `task ${record.task_id}`}, left by an earlier run`,
      )
    rmSync(record.scratch, { recursive: true, force: true })
    this.records.remove(record)
  }
}

/** The name of a task in the node's log: its integer id, when the server sent it. */
const named = ({ id, task_id, task_type, attempt }: Assignment): string =>
  `task ${id ?? task_id} (${task_type}, attempt ${attempt}${id === undefined ? '' : `, ${task_id}`})`
