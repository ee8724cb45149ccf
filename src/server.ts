import { serveBackups } from './archive/control.ts'
import type { Config } from './config/index.ts'
import { presentPayloads } from './contracts/portfolio/webhooks/payloads.ts'
import { ensureAdministrator } from './core/accounts/first-administrator.ts'
import { enqueueRestored } from './core/backup/after-restore.ts'
import type { Context } from './core/context.ts'
import { jobs, schedules } from './core/jobs.ts'
import { cleanUp } from './core/materials/cleanup.ts'
import { Metrics } from './core/metrics.ts'
import { cleanUpPhotoFiles } from './core/photo-files/cleanup.ts'
import { rebuildOutdated } from './core/photo-index/jobs.ts'
import { closeServices, createServices } from './core/services.ts'
import { upgrades } from './core/upgrades.ts'
import { createTokenCodec } from './http/tokens.ts'
import { Scheduler } from './jobs/scheduler.ts'
import type { LiveContext } from './live/context.ts'
import { presentEvent } from './live/events/index.ts'
import { registerSockets } from './live/gauges.ts'
import type { KeepAliveTiming } from './live/keep-alive.ts'
import { NodeSockets } from './live/node/socket.ts'
import { Hub } from './live/user/hub.ts'
import { type GivenParts, openParts } from './parts.ts'
import { keptSecret } from './util/kept-secret.ts'
import { createLogger, type Logger } from './util/logger.ts'
import { createSealed } from './util/sealed.ts'
import { keyedHash } from './util/secrets.ts'

/** A server that is not yet listening: `createApp(server.ctx)` makes its routes. */
export interface Server {
  ctx: LiveContext
  /** Which parts are embedded. */
  embedded: { database: boolean; bus: boolean; storage: boolean; mail: boolean }
  /** Tells all clients when to reconnect, closes their sockets, begins nothing more, and waits some seconds for what runs. */
  drain(): Promise<void>
  /** Drains, writes what is only in memory, and closes the parts, the last opened first. */
  close(): Promise<void>
}

/** What a test gives in place of what the configuration names. */
export interface Overrides extends GivenParts {
  log?: Logger
  /** Gets the password when this start created the first administrator with a random one. No later start can show it. */
  onAdministratorMade?: (password: string) => void
  keepAlive?: KeepAliveTiming
}

/**
 * Opens the parts and builds the context on them.
 * @throws StartupError with a message for the operator
 */
export async function createServer(config: Config, overrides: Overrides = {}): Promise<Server> {
  const log = overrides.log ?? createLogger(config.logLevel)
  const closers: (() => Promise<unknown> | unknown)[] = []
  const close = async () => {
    for (const step of closers.reverse().splice(0)) {
      try {
        await step()
      } catch (error) {
        // The other parts still have data to write and connections to close.
        log.warn({ err: error }, 'a part could not be closed')
      }
    }
  }
  try {
    const metrics = new Metrics()
    const { database, ...parts } = await openParts(
      config,
      log,
      overrides,
      { jobs, upgrades },
      metrics,
      (step) => closers.push(step),
    )
    metrics.registry.gauge(
      'roost_database_connections',
      'Connections of this server to the database; waiting are queries without one',
      ['state'],
      () => Object.entries(database.pool()).map(([state, n]) => [[state], n] as const),
    )
    const secret = config.jwtSecret ?? keptSecret(config.dataDir)
    // The services, the scheduler and the sockets are fields of the context that their constructors take.
    const ctx = {
      ...parts,
      config,
      log,
      metrics,
      db: database.db,
      epoch: database.epoch,
      tokens: createTokenCodec(secret),
      keyedHash: (purpose: string, text: string) => keyedHash(secret, purpose, text),
      sealed: createSealed(secret),
      presentEvent,
      presentPayloads,
    } as { -readonly [K in keyof LiveContext]: LiveContext[K] }
    ctx.services = createServices(ctx)
    // The other services still log while they close.
    closers.push(() => ctx.services.systemLog.close())
    closers.push(() => closeServices(ctx.services))
    // No other server uses an embedded database, so its unfinished uploads ended with the last server.
    if (database.embedded) {
      await cleanUp(ctx, { processing: true, orphans: false, maxAgeMinutes: 0 })
      await cleanUpPhotoFiles(ctx, { orphans: false, maxAgeMinutes: 0 })
    }
    await ensureAdministrator(ctx, overrides.onAdministratorMade ?? (() => {}))
    await ctx.services.agentRuns.sweep({ all: database.embedded })
    await ctx.services.studyRunner.start()
    const hub = new Hub(ctx, overrides.keepAlive)
    const nodeSockets = new NodeSockets(ctx.bus, overrides.keepAlive)
    ctx.live = { hub, nodeSockets }
    registerSockets(ctx)
    ctx.scheduler = new Scheduler(ctx.db, log, schedulesOf(ctx), metrics.scheduledRuns)
    // All at once: one after the other they may take longer than a whole stop may.
    const drain = async () =>
      void (await Promise.all([
        hub.drain(),
        nodeSockets.drain(),
        ctx.services.agentRuns.close(),
        ctx.services.studyRunner.close(),
        ctx.services.webhooks.close(),
        ctx.scheduler.close(),
        ctx.queue.drain(),
      ]))
    // Before the services end, because running jobs use them. `openParts` closes the queue of a start that fails earlier.
    closers.push(() => ctx.queue.close(), drain)
    await ctx.queue.start<Context>(ctx, jobs)
    await rebuildOutdated(ctx)
    await enqueueRestored(ctx, jobs)
    if (database.copyTo) closers.push(await serveBackups(ctx, database.copyTo))
    return {
      ctx,
      embedded: {
        database: database.embedded,
        bus: ctx.bus.kind === 'embedded',
        storage: ctx.storage.kind === 'disk',
        mail: ctx.mailer.kind === 'files',
      },
      drain,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Those that have a pattern in this configuration. */
const schedulesOf = (ctx: Context) =>
  schedules.flatMap((schedule) => {
    const pattern = typeof schedule.pattern === 'string' ? schedule.pattern : schedule.pattern(ctx)
    return pattern === undefined
      ? []
      : [{ ...schedule, pattern, run: (signal: AbortSignal) => schedule.run(ctx, signal) }]
  })
