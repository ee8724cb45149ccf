import type { Bus } from '../../bus/bus.ts'
import { type GpuReading, NODE_TOPIC, type NodeState } from './presence.ts'

export interface NodeSample {
  /** RFC 3339: when a server heard the node. */
  at: string
  gpus: GpuReading[]
}

/** Heartbeats within this time of a sample are left out. */
const EVERY_MS = 10_000
/** Ten minutes. A GPU costs about 6 KB of memory for them. */
const MOST = 60

/**
 * The figures of nodes over the last minutes. Every server hears the states of all nodes over the bus, so each has them since its own
 * start. They are not stored.
 */
export class NodeHistory {
  /** By the key of the node's state. It goes when the state does: some minutes after the last heartbeat. */
  private readonly samples = new Map<string, NodeSample[]>()

  constructor(bus: Pick<Bus, 'onState'>) {
    bus.onState((key, state) => {
      if (!key.startsWith(NODE_TOPIC)) return
      if (state) this.add(key, state as NodeState)
      else this.samples.delete(key)
    })
  }

  /** The oldest first. @param key of the node's state */
  of(key: string): readonly NodeSample[] {
    return this.samples.get(key) ?? []
  }

  private add(key: string, { timestamp, status, gpus }: NodeState): void {
    if (status === 'offline') return
    const samples = this.samples.get(key) ?? []
    const last = samples.at(-1)
    // A clock that was set back must not end the samples until it has caught up.
    if (last && Math.abs(Date.parse(timestamp) - Date.parse(last.at)) < EVERY_MS) return
    samples.push({ at: timestamp, gpus })
    if (samples.length > MOST) samples.shift()
    this.samples.set(key, samples)
  }
}
