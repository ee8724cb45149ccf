/** `system:overview`: how this server works, for who may read its metrics. Time alone makes it dirty. */
import { may } from '../../core/accounts/permissions.ts'
import { notFound } from '../../core/errors.ts'
import type { Overview } from '../../core/system/overview.ts'
import { type SystemUpdateData, TOPIC_PATTERNS } from '../../protocol/live/topics.ts'
import { type ReadCurrent, sharedText, type TopicKind } from './topic.ts'

const OVERVIEW = 'system:overview'
const EVERY_MS = 2000

const presentOverview = (now: Overview): SystemUpdateData => ({
  server: now.server,
  at: now.at.toISOString(),
  started_at: now.startedAt.toISOString(),
  sockets: { user: now.sockets.user, stranger: now.sockets.stranger, node: now.sockets.node },
  totals: {
    events_appended: now.totals.eventsAppended,
    events_delivered: now.totals.eventsDelivered,
    states_sent: now.totals.statesSent,
    requests: now.totals.requests,
  },
  jobs: now.jobs
    ? { waiting: now.jobs.waiting, later: now.jobs.later, running: now.jobs.running, dead: now.jobs.dead }
    : null,
  gpu_tasks: now.gpuTasks ? { waiting: now.gpuTasks.waiting, leased: now.gpuTasks.leased } : null,
  nodes: now.nodes
    ? { online: now.nodes.online, draining: now.nodes.draining, offline: now.nodes.offline }
    : null,
  parts: now.parts.map(({ name, healthy, latencyMs }) => ({
    name,
    healthy,
    latency_ms: Math.round(latencyMs * 100) / 100,
  })),
  memory_bytes: now.memoryBytes,
  cpu_seconds: now.cpuSeconds,
})

const readCurrent: ReadCurrent = async ({ services }) =>
  new Map([[OVERVIEW, await services.gauges.overview()]])
const textOf = sharedText(presentOverview)

export const overviewKind: TopicKind = {
  pattern: new RegExp(TOPIC_PATTERNS.overview),
  async open({ who, name }) {
    if (!may(who.role, 'system.metrics')) throw notFound('topic', name)
    return {
      name,
      key: OVERVIEW,
      permits: ({ role }) => may(role, 'system.metrics'),
      readCurrent,
      render: (value) => `{"type":"system_update","key":"${OVERVIEW}","data":${textOf(value)}}`,
    }
  },
  listen(_, changed) {
    const timer = setInterval(() => changed(OVERVIEW), EVERY_MS)
    return () => clearInterval(timer)
  },
}
