/**
 * Everything in core that keeps state in memory. A new service is a field, a line in `createServices`, and one in
 * `closeServices` when it has timers.
 */
import type { LRUCache } from 'lru-cache'
import { LastSeen } from './accounts/last-seen.ts'
import { Principals } from './accounts/principals.ts'
import { AgentFeed } from './agent/feed.ts'
import { AgentRuns } from './agent/runs.ts'
import type { Context } from './context.ts'
import { type ChunkedSizes, knownSessions } from './files/chunks.ts'
import { PieceDigests } from './files/digests.ts'
import { IncomingUploads } from './files/incoming.ts'
import { piecePlaces } from './files/pieces.ts'
import type { Places } from './files/places.ts'
import { type Generations, GenerationsInMemory, GenerationsInTable } from './generations/generations.ts'
import { RunningKeys } from './idempotency/running-keys.ts'
import { SystemLogFeed } from './logs/feed.ts'
import { SystemLog } from './logs/system-log.ts'
import { MaterialRanking } from './materials/ranking.ts'
import { NodeControl } from './nodes/control.ts'
import { NodeHistory } from './nodes/history.ts'
import { ProcessingTimes } from './photo-files/times.ts'
import { ViewCounts } from './photos/view-counts.ts'
import { RateLimits } from './rate-limits/rate-limits.ts'
import { StudyRunner } from './study/runner.ts'
import { Gauges } from './system/gauges.ts'
import { openSettings, type Settings } from './system/settings.ts'
import { TaskLogFeed } from './tasks/log-feed.ts'
import { RunnerClocks } from './tasks/runner-clocks.ts'
import { WebhookDispatcher } from './webhooks/dispatcher.ts'

export interface Services {
  readonly systemLog: SystemLog
  readonly systemLogFeed: SystemLogFeed
  readonly generations: Generations
  readonly rateLimits: RateLimits
  readonly runningKeys: RunningKeys
  readonly settings: Settings
  readonly gauges: Gauges
  readonly principals: Principals
  readonly lastSeen: LastSeen
  readonly agentFeed: AgentFeed
  readonly agentRuns: AgentRuns
  readonly uploads: IncomingUploads
  readonly pieces: Places
  readonly pieceDigests: PieceDigests
  readonly knownSessions: LRUCache<number, ChunkedSizes>
  readonly ranking: MaterialRanking
  readonly processingTimes: ProcessingTimes
  readonly viewCounts: ViewCounts
  readonly taskLogFeed: TaskLogFeed
  readonly runnerClocks: RunnerClocks
  readonly nodeControl: NodeControl
  readonly nodeHistory: NodeHistory
  readonly studyRunner: StudyRunner
  readonly webhooks: WebhookDispatcher
}

/** @param ctx a context that will have these services: a constructor must not use `ctx.services` yet */
export const createServices = (ctx: Context): Services => ({
  systemLog: new SystemLog(ctx),
  systemLogFeed: new SystemLogFeed(ctx),
  generations: ctx.config.databaseUrl ? new GenerationsInTable(ctx.db) : new GenerationsInMemory(),
  rateLimits: new RateLimits(ctx.bus, ctx.log, ctx.config.rateLimits),
  gauges: new Gauges(ctx),
  runningKeys: new RunningKeys(),
  settings: openSettings(ctx.config),
  principals: new Principals(ctx.db, ctx.clock, ctx.bus),
  lastSeen: new LastSeen(ctx),
  agentFeed: new AgentFeed(ctx.db, ctx.bus),
  agentRuns: new AgentRuns(ctx, ctx.model),
  uploads: new IncomingUploads(ctx.bus, ctx.config.uploadsPerUser),
  pieces: piecePlaces(),
  pieceDigests: new PieceDigests(ctx.storage),
  knownSessions: knownSessions(),
  ranking: new MaterialRanking(ctx),
  processingTimes: new ProcessingTimes(),
  viewCounts: new ViewCounts(ctx),
  taskLogFeed: new TaskLogFeed(ctx),
  runnerClocks: new RunnerClocks(),
  nodeControl: new NodeControl(ctx),
  nodeHistory: new NodeHistory(ctx.bus),
  studyRunner: new StudyRunner(ctx),
  webhooks: new WebhookDispatcher(ctx),
})

export async function closeServices(services: Services): Promise<void> {
  const { agentRuns, gauges, pieceDigests, lastSeen, viewCounts, nodeControl, studyRunner, webhooks } =
    services
  try {
    await agentRuns.close()
  } finally {
    gauges.close()
    services.taskLogFeed.close()
    services.systemLogFeed.close()
    pieceDigests.close()
    await lastSeen.close()
    await viewCounts.close()
    await nodeControl.close()
    await studyRunner.close()
    await webhooks.close()
  }
}
