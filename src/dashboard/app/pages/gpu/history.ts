/**
 * The figures of GPU servers over the last minutes: those that the server still has, then those that come. They are followed from the
 * first look at a GPU server until the sign-out, also while another page is shown, so that the charts are full when the user comes back.
 */
import { type Signal, signal } from '@preact/signals'
import { dataOf, type LiveClient, type NodeUpdateData } from '../../../../client/index.ts'
import { api, live } from '../../lib/session.ts'
import { recent, type Sample } from './samples.ts'

export interface Followed {
  state: Signal<NodeUpdateData | undefined>
  samples: Signal<readonly Sample[]>
}

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
  // Without what has been before, the charts begin now.
  void recall(id, one).catch(() => {})
  return one
}

async function recall(id: string, { samples }: Followed): Promise<void> {
  const { data } = await dataOf(api().factory.gpu.servers({ server_id: id }).history.get())
  const [first] = samples.peek()
  const before = data.samples
    .map(({ at, gpu_usage }) => ({ at: Date.parse(at), gpus: gpu_usage }))
    .filter(({ at }) => !first || at < first.at)
  samples.value = recent([...before, ...samples.peek()])
}

function record({ state, samples }: Followed, next: NodeUpdateData): void {
  const before = state.peek()
  state.value = next
  // The progress of a task comes between heartbeats.
  if (before?.timestamp === next.timestamp && before.status === next.status) return
  const sample =
    next.status === 'offline'
      ? { at: Date.parse(next.timestamp) + 1, gpus: [] }
      : { at: Date.parse(next.timestamp), gpus: next.gpu_usage }
  samples.value = recent([...samples.peek(), sample])
}
