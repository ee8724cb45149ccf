import type { Context } from '../context.ts'
import { serverName } from '../logs/server-name.ts'
import { COMPONENTS, type ComponentHealth } from './health.ts'
import type { NodeCounts, Readings, TaskCounts } from './readings.ts'

/** Open sockets by kind of client. A stranger has not signed in yet. */
export type Sockets = Record<'user' | 'stranger' | 'node', number>
export type JobCounts = Record<'waiting' | 'later' | 'running' | 'dead', number>

/** How a server works at a moment. What could not be read is undefined. */
export interface Overview {
  server: string
  at: Date
  startedAt: Date
  sockets: Sockets
  /** Since the start of the process. */
  totals: { eventsAppended: number; eventsDelivered: number; statesSent: number; requests: number }
  jobs: JobCounts | undefined
  gpuTasks: TaskCounts | undefined
  nodes: NodeCounts | undefined
  parts: ({ name: (typeof COMPONENTS)[number] } & ComponentHealth)[]
  memoryBytes: number
  cpuSeconds: number
}

/** When this process started. */
export const STARTED_AT = new Date(Date.now() - process.uptime() * 1000)

/** Processor time of this process. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** @param readings refreshed just now */
export function overviewOf({ metrics }: Context, readings: Readings, sockets: Sockets): Overview {
  const { jobs, nodes, tasks, parts } = readings
  return {
    server: serverName(),
    at: new Date(),
    startedAt: STARTED_AT,
    sockets,
    totals: {
      eventsAppended: metrics.eventsAppended.value,
      eventsDelivered: metrics.eventsDelivered.value,
      statesSent: metrics.statesSent.value,
      requests: metrics.requests.total,
    },
    jobs: jobs.value && jobCounts(jobs.value),
    gpuTasks: tasks.value,
    nodes: nodes.value,
    parts: COMPONENTS.flatMap((name) => (parts.value ? [{ name, ...parts.value[name] }] : [])),
    memoryBytes: process.memoryUsage.rss(),
    cpuSeconds: cpuSeconds(),
  }
}

function jobCounts(depths: NonNullable<Readings['jobs']['value']>): JobCounts {
  const counts = { waiting: 0, later: 0, running: 0, dead: 0 }
  for (const { state, jobs } of depths) counts[state] += jobs
  return counts
}
