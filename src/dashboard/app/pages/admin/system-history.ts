/** The figures of the server over the last minutes. They stay while another page is shown, where nobody watches the server. */
import { type Signal, signal } from '@preact/signals'
import type { LiveClient, SystemUpdateData } from '../../../../client/index.ts'

export interface Sample {
  /** Milliseconds since the epoch. */
  at: number
  users: number | null
  nodes: number | null
  /** Of a second, since the sample before. */
  appended: number | null
  delivered: number | null
  states: number | null
  requests: number | null
  /** MB. */
  memory: number | null
  /** Percent of one core. */
  processor: number | null
}

const KEPT_MS = 10 * 60_000
/** The server tells its figures every two seconds. Without them for so long, the lines of the charts break off. */
const GAP_MS = 10_000
const MB = 1024 * 1024

export class History {
  readonly state: Signal<SystemUpdateData | undefined> = signal(undefined)
  readonly samples: Signal<readonly Sample[]> = signal([])

  add(next: SystemUpdateData): void {
    const before = this.state.peek()
    this.state.value = next
    const at = Date.parse(next.at)
    const last = this.samples.peek().at(-1)
    // The clock of another server may be behind.
    if (last && at <= last.at) return
    const isGap = last !== undefined && at - last.at > GAP_MS
    const gap = isGap ? [{ ...NOTHING, at: last.at + 1 }] : []
    this.samples.value = [...this.samples.peek(), ...gap, sampleOf(next, isGap ? undefined : before)].filter(
      (sample) => sample.at > at - KEPT_MS,
    )
  }
}

const NOTHING: Omit<Sample, 'at'> = {
  users: null,
  nodes: null,
  appended: null,
  delivered: null,
  states: null,
  requests: null,
  memory: null,
  processor: null,
}

/** @param before of any server; totals of another process say nothing about this one */
export function sampleOf(now: SystemUpdateData, before: SystemUpdateData | undefined): Sample {
  const isSame = before?.server === now.server && before.started_at === now.started_at
  const seconds = isSame ? (Date.parse(now.at) - Date.parse(before.at)) / 1000 : 0
  const rate = (of: (data: SystemUpdateData) => number) =>
    isSame && seconds > 0 ? (of(now) - of(before)) / seconds : null
  return {
    at: Date.parse(now.at),
    users: now.sockets.user,
    nodes: now.sockets.node,
    appended: rate(({ totals }) => totals.events_appended),
    delivered: rate(({ totals }) => totals.events_delivered),
    states: rate(({ totals }) => totals.states_sent),
    requests: rate(({ totals }) => totals.requests),
    memory: now.memory_bytes / MB,
    processor: rate((data) => data.cpu_seconds * 100),
  }
}

/** By client: another sign-in begins anew. */
const histories = new WeakMap<LiveClient, History>()

export function historyOf(client: LiveClient): History {
  const history = histories.get(client) ?? new History()
  histories.set(client, history)
  return history
}
