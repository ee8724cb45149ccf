import type { NodeFrame, NodeFrameOf, ServerFrame } from '../live/node-protocol.ts'
import { Link } from './link.ts'
import type { Log } from './log.ts'
import { Machine } from './machine.ts'
import { Results } from './results.ts'
import type { TaskProgram } from './runner.ts'
import { Tasks } from './tasks.ts'

export interface NodeSettings {
  /** For people. */
  server: string
  socketUrl: string
  token: string
  name: string
  stateDir: string
  nvidiaSmi: string
  programs: ReadonlyMap<string, TaskProgram>
  /** undefined: one per GPU, at least one. */
  maxConcurrentTasks: number | undefined
  /** How often a result is repeated until it is acknowledged. Default 10 s. */
  repeatResultsMs?: number
  /** The server does not take the token; the node can do nothing more. */
  onRefused(message: string): void
}

/** Log lines kept for the server while it is away; the oldest go first. */
const MAX_KEPT_LOGS = 500
/** With more than this on its way, what can wait (logs, results) waits. */
const MAX_BACKLOG_BYTES = 4 * 1024 * 1024

/** The node program: says how the machine does, runs the tasks that it is given, keeps results until they have arrived. */
export class GpuNode {
  private readonly results: Results
  private readonly tasks: Tasks
  private readonly link: Link
  private readonly keptLogs: NodeFrameOf<'log'>[] = []
  private readonly repeatMs: number
  private readonly repeatTimer: Timer
  private readonly idle = Promise.withResolvers<void>()
  private stopping = false

  /** Kills what an earlier run left behind, reads the GPUs, connects. `settings.stateDir` must be this process's own. */
  static async start(settings: NodeSettings, log: Log): Promise<GpuNode> {
    const node = new GpuNode(settings, await Machine.read(settings.nvidiaSmi), log)
    node.link.connect()
    return node
  }

  private constructor(settings: NodeSettings, machine: Machine, log: Log) {
    const { stateDir, programs, name } = settings
    const maxConcurrent = settings.maxConcurrentTasks ?? Math.max(1, machine.describe().length)
    this.results = new Results(stateDir, log)
    this.tasks = new Tasks({
      stateDir,
      programs,
      maxConcurrent,
      results: this.results,
      send: (frame) => (frame.type === 'log' ? this.sendLog(frame) : this.link.send(frame)),
      settled: () => this.settled(),
      log,
    })
    this.link = new Link(
      settings.socketUrl,
      settings.token,
      {
        hello: () => ({
          type: 'hello',
          name,
          max_concurrent_tasks: maxConcurrent,
          task_types: [...programs.keys()],
          gpus: machine.describe(),
          running: [...this.tasks.leases(), ...this.results.leases()].slice(0, 1000),
        }),
        welcome: () => {
          const gpus = machine.describe().length
          log.info(`connected to ${settings.server} as ${name} (${gpus} GPU${gpus === 1 ? '' : 's'})`)
          this.welcomed()
        },
        frame: (frame) => this.receive(frame, log),
        heartbeat: async (limitMs) => ({ type: 'heartbeat', ...(await machine.measure(limitMs)) }),
        refused: settings.onRefused,
      },
      log,
    )
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
    this.tasks.killAll()
  }

  private receive(frame: ServerFrame, log: Log): void {
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
      else log.warn(`the server answered ${code}: ${message}`)
    }
  }

  private welcomed(): void {
    // A drain holds until the next welcome: a server that still wants it says so again.
    if (!this.stopping) this.tasks.refusing = undefined
    for (const frame of this.keptLogs.splice(0)) this.link.send(frame)
    for (const frame of this.tasks.progress()) this.link.send(frame)
    this.sendResults(0)
  }

  private settled(): void {
    this.sendResults(this.repeatMs)
    if (this.stopping && this.tasks.count === 0 && this.results.size === 0) this.idle.resolve()
  }

  private sendResults(olderThanMs: number): void {
    const send = (frame: NodeFrame) => this.link.backlog < MAX_BACKLOG_BYTES && this.link.send(frame)
    this.results.send(send, olderThanMs)
  }

  private sendLog(frame: NodeFrameOf<'log'>): void {
    if (this.link.backlog < MAX_BACKLOG_BYTES && this.link.send(frame)) return
    this.keptLogs.push(frame)
    if (this.keptLogs.length > MAX_KEPT_LOGS) this.keptLogs.shift()
  }
}
