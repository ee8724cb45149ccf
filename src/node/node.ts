import type { NodeServerFrame } from '../protocol/node/server-frames.ts'
import { Link } from './link.ts'
import type { Log } from './log.ts'
import { count, Machine, type MachineSettings } from './machine.ts'
import { Outbox } from './outbox.ts'
import { type FinalFrame, Results } from './results.ts'
import type { TaskProgram } from './runner.ts'
import { Tasks } from './tasks.ts'

export interface NodeSettings extends MachineSettings {
  /** The server's name in messages for people. */
  server: string
  socketUrl: string
  token: string
  name: string
  stateDir: string
  programs: ReadonlyMap<string, TaskProgram>
  /** The node repeats a result at this interval until the server acknowledges it. Default 10 s. */
  repeatResultsMs?: number
  /** The server refuses the token. The node can do nothing more. */
  onRefused(message: string): void
}

/**
 * The node program: reports the figures of its machine, runs tasks, and keeps results until the server has acknowledged
 * them.
 */
export class GpuNode {
  private readonly results: Results
  private readonly tasks: Tasks
  private readonly link: Link
  private readonly outbox: Outbox
  private readonly repeatMs: number
  private readonly repeatTimer: Timer
  private readonly idle = Promise.withResolvers<void>()
  private stopping = false

  /** Kills processes of an earlier run, reads the GPUs and connects. No other process may use `settings.stateDir`. */
  static async start(settings: NodeSettings, log: Log): Promise<GpuNode> {
    const node = new GpuNode(settings, await Machine.read(settings, log), log)
    log.info(`connecting to ${settings.server} as ${settings.name}`)
    node.link.connect()
    return node
  }

  private constructor(
    settings: NodeSettings,
    private readonly machine: Machine,
    log: Log,
  ) {
    const { stateDir, programs, name } = settings
    this.results = new Results(stateDir, log)
    this.link = new Link(
      settings.socketUrl,
      settings.server,
      settings.token,
      {
        hello: () => ({
          type: 'hello',
          name,
          max_concurrent_tasks: machine.slots,
          task_types: [...programs.keys()],
          gpus: machine.describe(),
          running: [...this.tasks.leases(), ...this.results.leases()].slice(0, 1000),
        }),
        welcome: () => {
          const gpus = count(machine.describe().length, 'GPU')
          log.info(`connected to ${settings.server} as ${name} (${gpus})`)
          this.welcomed()
        },
        frame: (frame) => this.receive(frame, log),
        heartbeat: async (limitMs) => ({ type: 'heartbeat', ...(await machine.measure(limitMs)) }),
        refused: settings.onRefused,
      },
      log,
    )
    this.outbox = new Outbox(this.link, () => this.heldChanged())
    this.tasks = new Tasks({
      stateDir,
      programs,
      machine,
      visibleDevices: settings.visibleDevices,
      results: this.results,
      outbox: this.outbox,
      heldChanged: () => this.heldChanged(),
      log,
    })
    this.repeatMs = settings.repeatResultsMs ?? 10_000
    this.repeatTimer = setInterval(() => this.sendResults(this.repeatMs), Math.min(1000, this.repeatMs))
  }

  /** The number of tasks that run, and of results that the server has not acknowledged. */
  get held(): { running: number; unacknowledged: number } {
    return { running: this.tasks.count, unacknowledged: this.results.size }
  }

  /** Takes no new task. Resolves when all tasks have ended and the server has acknowledged every result. */
  drain(): Promise<void> {
    this.stopping = true
    this.tasks.refusing = 'draining'
    this.heldChanged()
    return this.idle.promise
  }

  /** Closes the connection and kills all tasks. Results stay on disk. Synchronous, for exit handlers. */
  close(): void {
    clearInterval(this.repeatTimer)
    this.link.close()
    this.outbox.close()
    this.tasks.killAll()
    this.machine.close()
  }

  private receive(frame: NodeServerFrame, log: Log): void {
    if (frame.type === 'assign') this.tasks.assign(frame)
    else if (frame.type === 'cancel') this.tasks.cancel(frame)
    else if (frame.type === 'ack') {
      this.results.drop(frame)
      this.heldChanged()
    } else if (frame.type === 'drain') {
      log.info('the server drains this node: no new tasks')
      this.tasks.refusing = 'draining'
    } else if (frame.type === 'error') {
      const { code, message, task_id, attempt } = frame
      if (code === 'STALE_ATTEMPT' && task_id !== undefined && attempt !== undefined)
        this.tasks.drop({ task_id, attempt })
      else {
        const about = task_id === undefined ? '' : ` about task ${task_id}, attempt ${attempt}`
        log.warn(`the server answered ${code}${about}: ${message}`)
      }
    }
  }

  private welcomed(): void {
    // A drain lasts until the next `welcome`. A server that still wants it sends `drain` again.
    if (!this.stopping) this.tasks.refusing = undefined
    this.outbox.connected()
    this.sendResults(0)
  }

  /** Sends the results that are due. A drain ends when the node holds nothing any more. */
  private heldChanged(): void {
    this.sendResults(this.repeatMs)
    if (this.stopping && this.tasks.count === 0 && this.results.size === 0) this.idle.resolve()
  }

  private sendResults(olderThanMs: number): void {
    const send = (frame: FinalFrame) => this.outbox.mayEnd(frame) && this.outbox.urgent(frame)
    this.results.send(send, olderThanMs)
  }
}
