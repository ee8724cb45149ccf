/**
 * The figures of GPU servers over the last minutes. They are followed from the first look at a server until the sign-out, also
 * while another page is shown, so that the charts are full when the user comes back.
 */
import { type Signal, signal } from '@preact/signals'
import type { GpuUsage, LiveClient, NodeUpdateData } from '../../../../client/index.ts'
import { live } from '../../lib/session.ts'

export interface Sample {
  /** Milliseconds since the epoch. */
  at: number
  /** Empty where there is nothing to show. */
  gpus: readonly GpuUsage[]
}

export interface Followed {
  state: Signal<NodeUpdateData | undefined>
  samples: Signal<readonly Sample[]>
}

const KEPT_MS = 10 * 60_000
/** Without a figure for so long, the line of a chart breaks off. Servers report every few seconds. */
const GAP_MS = 30_000
/** A server may have many GPUs, and heartbeats each second. */
const MOST_SAMPLES = 600

/** By client: another sign-in begins anew. */
const followed = new WeakMap<LiveClient, Map<string, Followed>>()

export function follow(id: string): Followed {
  const client = live()
  const all = followed.get(client) ?? new Map<string, Followed>()
  followed.set(client, all)
  const known = all.get(id)
  if (known) return known
  const one: Followed = { state: signal(undefined), samples: signal([]) }
  all.set(id, one)
  client.watch(`gpu:server:${id}`, (state) => record(one, state), {
    // The server has been removed.
    onError: () => all.delete(id),
  })
  return one
}

function record({ state, samples }: Followed, next: NodeUpdateData): void {
  const before = state.peek()
  state.value = next
  // The progress of a task comes between heartbeats.
  if (before?.timestamp === next.timestamp && before.status === next.status) return
  const at = Date.now()
  const gpus = next.status === 'offline' ? [] : next.gpu_usage
  const last = samples.peek().at(-1)
  const gap = last && at - last.at > GAP_MS ? [{ at: last.at + 1, gpus: [] }] : []
  samples.value = [...samples.peek(), ...gap, { at, gpus }]
    .filter((sample) => sample.at > at - KEPT_MS)
    .slice(-MOST_SAMPLES)
}
