import type { Context } from '../context.ts'
import { queueHint } from '../tasks/hints.ts'
import { leaseTasks } from '../tasks/queue.ts'
import type { Fleet } from './fleet.ts'

/** Finds what a lost hint of another server, or a refusal that has expired, left waiting. */
const POLL_MS = 2000

/** Leases waiting tasks to this server's nodes. Rounds never overlap; a wake during one causes another. */
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
        // The poll tries again; while the database is away there is nothing to hand out.
        this.ctx.log.warn({ err: error }, 'dispatching failed')
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
      // A node that left meanwhile has not heard of the task: its next `hello`, or the sweep, gives it back.
      if (!connected) continue
      fleet.hold(connected, task)
      connected.link.assign(task)
    }
  }
}
