import type { Context } from '../context.ts'
import { queueHint } from '../tasks/hints.ts'
import { leaseTasks } from '../tasks/queue.ts'
import type { Fleet } from './fleet.ts'

/** A task may wait without a hint: when the hint of another server was lost, or when a refusal has expired. */
const POLL_MS = 2000

/** Leases waiting tasks to the nodes of this server. Rounds never overlap; a wake during a round causes another round. */
export class Dispatcher {
  private running = false
  private again = false
  private closed = false
  private readonly poll = setInterval(() => this.wake(), POLL_MS)

  constructor(
    private readonly ctx: Context,
    private readonly fleet: () => Fleet,
  ) {
    ctx.bus.subscribe(queueHint, () => this.wake())
  }

  wake(): void {
    this.again = true
    if (!this.running) void this.run()
  }

  close(): void {
    this.closed = true
    clearInterval(this.poll)
  }

  private async run(): Promise<void> {
    this.running = true
    while (this.again && !this.closed) {
      this.again = false
      try {
        await this.round()
      } catch (error) {
        // The poll tries again.
        this.ctx.log.warn({ err: error }, 'the server could not lease tasks to its nodes; it tries again')
      }
    }
    this.running = false
  }

  private async round(): Promise<void> {
    const fleet = this.fleet()
    const slots = fleet.slots()
    if (slots.length === 0) return
    for (const { task, nodeId } of await leaseTasks(this.ctx, slots)) {
      const connected = fleet.get(nodeId)
      // A node that left meanwhile does not know the task: its next `hello`, or the sweep, puts the task back.
      if (!connected) continue
      fleet.hold(connected, task)
      connected.link.assign(task)
    }
  }
}
