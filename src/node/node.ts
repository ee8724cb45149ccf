import type { NodeServerFrame } from '../protocol/node/server-frames.ts'
import { Link } from './link.ts'
import type { Log } from './log.ts'
import { count, Machine, type MachineSettings } from './machine.ts'
import { Outbox } from './outbox.ts'
import { type FinalFrame, Results } from './results.ts'
import type { TaskProgram } from './runner.ts'
import { Tasks } from './tasks.ts'

export interface NodeSettings extends MachineSettings {
  /** For people. */
  server: string
  socketUrl: string
  token: string
  name: string
  stateDir: string
  programs: ReadonlyMap<string, TaskProgram>
  /** How often a result is repeated until it is acknowledged. Default 10 s. */
  repeatResultsMs?: number
  /** The server does not take the token; the node can do nothing more. */
  onRefused(message: string): void
}

/** The node program: says how the machine does, runs the tasks that it is given, keeps results until they have arrived. */
export class GpuNode {
  private readonly results: Results
  private readonly tasks: Tasks
  private readonly link: Link
  private readonly outbox: Outbox
  private readonly repeatMs: number
  private readonly repeatTimer: Timer
  private readonly idle = Promise.withResolvers<void>()
  private stopping = false

  /** Kills what an earlier run left behind, reads the GPUs, connects. `settings.stateDir` must be this process's own. */
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
    this.outbox = new Outbox(this.link, () => this.settled())
    this.tasks = new Tasks({
      stateDir,
      programs,
      machine,
      visibleDevices: settings.visibleDevices,
      results: this.results,
      outbox: this.outbox,
      settled: () => this.settled(),
      log,
    })
    this.repeatMs = settings.repeatResultsMs ?? 10_000
    this.repeatTimer = setInterval(() => this.sendResults(this.repeatMs), Math.min(1000, this.repeatMs))
  }

  /** How many tasks run, and how many results wait for their acknowledgement. */
  get held(): { running: number; unacknowledged: number } {
    return { running: this.tasks.count, unacknowledged: this.results.size }
  }

  /** Takes nothing new; resolves when all that runs has ended and every result is acknowledged. */
  drain(): Promise<void> {
    this.stopping = true
    this.tasks.refusing = 'draining'
    this.settled()
    return this.idle.promise
  }

  /** Ends the connection and kills what still runs; results stay on disk. Synchronous, for exit handlers. */
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
      this.settled()
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
    // A drain holds until the next welcome: a server that still wants it says so again.
    if (!this.stopping) this.tasks.refusing = undefined
    this.outbox.connected()
    this.sendResults(0)
  }

  private settled(): void {
    this.sendResults(this.repeatMs)
    if (this.stopping && this.tasks.count === 0 && this.results.size === 0) this.idle.resolve()
  }

  private sendResults(olderThanMs: number): void {
    const send = (frame: FinalFrame) => this.outbox.mayEnd(frame) && this.outbox.urgent(frame)
    this.results.send(send, olderThanMs)
  }
}
