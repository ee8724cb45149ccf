import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bus } from './bus/bus.ts'
import { createEmbeddedBus } from './bus/embedded.ts'
import type { Config } from './config/index.ts'
import { ensureAdministrator } from './core/accounts/first-administrator.ts'
import { Principals } from './core/accounts/principals.ts'
import { trimSessions } from './core/accounts/sessions.ts'
import { sendReminders } from './core/agenda/reminders.ts'
import { AgentFeed } from './core/agent/feed.ts'
import { AgentRuns, trimFrames } from './core/agent/runs.ts'
import { trimEvents } from './core/channel/log.ts'
import type { Context } from './core/context.ts'
import { deliverMail } from './core/mail/deliver.ts'
import { cleanUp } from './core/materials/cleanup.ts'
import { IncomingUploads } from './core/materials/incoming.ts'
import { putAway } from './core/materials/objects.ts'
import { failThumbnail, makeThumbnail, type ThumbnailRenderer } from './core/materials/thumbnails.ts'
import { NodeControl } from './core/nodes/control.ts'
import { trimCodes } from './core/verification/codes.ts'
import { type Database, openDatabase } from './db/client.ts'
import { DatabaseClock } from './db/clock.ts'
import { createTokenCodec } from './http/tokens.ts'
import { placeholder } from './imaging/placeholder.ts'
import { ThumbnailError } from './imaging/protocol.ts'
import { renderThumbnail } from './imaging/render.ts'
import { JobQueue } from './jobs/queue.ts'
import { Scheduler } from './jobs/scheduler.ts'
import type { KeepAliveTiming } from './live/keep-alive.ts'
import { NodeSockets } from './live/node/socket.ts'
import { Hub } from './live/user/hub.ts'
import { createFileMailer } from './mail/files.ts'
import { createSmtpMailer } from './mail/smtp.ts'
import { builtinModel } from './model/builtin/index.ts'
import { createDiskStorage } from './storage/disk.ts'
import { createLogger, type Logger } from './util/logger.ts'
import { keyedHash } from './util/secrets.ts'
import { StartupError } from './util/startup-error.ts'

/** Tries per kind of failure. Another try helps only where the machine is to blame, and not the file. */
const THUMBNAIL_TRIES = {
  UNREADABLE: 1,
  TIMEOUT: 1,
  MEMORY: 1,
  BUSY: 3,
  CRASHED: Number.POSITIVE_INFINITY,
}
/** Each is a process of its own with up to half a gigabyte; the server's own work comes first. */
const THUMBNAILS_AT_ONCE = 1
const MAILS_AT_ONCE = 2
/** Mails that are kept as files. */
const KEEP_MAILS_DAYS = 30

const renderer: ThumbnailRenderer = {
  render: async (job, signal) => void (await renderThumbnail(job, { signal })),
  placeholder,
  isFinal: (error, attempt) => error instanceof ThumbnailError && attempt >= THUMBNAIL_TRIES[error.code],
}

/** Everything that a running server is made of. */
export interface Server {
  ctx: Context
  hub: Hub
  nodeControl: NodeControl
  nodeSockets: NodeSockets
  scheduler: Scheduler
  agentRuns: AgentRuns
  embedded: { database: boolean; bus: boolean; storage: boolean; mail: boolean }
  /** Tells all sockets when to come back, and closes them; ends the answers of the agent. */
  drain(): Promise<void>
  /** Writes what is only in memory and closes the parts, last opened first; drains before, if nobody has. */
  close(): Promise<void>
}

/** Parts that a test brings along instead of those that the configuration names. */
export interface Overrides {
  log?: Logger
  /** Gets the first administrator's password when this start made one up. No later start can show it. */
  onAdministratorMade?: (password: string) => void
  keepAlive?: KeepAliveTiming
}

/** @throws StartupError with what the operator should look at */
export async function createServer(config: Config, overrides: Overrides = {}): Promise<Server> {
  const log = overrides.log ?? createLogger(config.logLevel)
  const closers: (() => Promise<unknown> | unknown)[] = []
  const close = async () => {
    for (const step of closers.reverse().splice(0)) {
      try {
        await step()
      } catch (error) {
        // The others have things to write, and connections to end.
        log.warn({ err: error }, 'a part did not close well')
      }
    }
  }
  try {
    makeDirectory(config.dataDir)
    const database: Database = await openDatabase(config, log)
    closers.push(() => database.close())
    // Real parts are imported where one is set: together they would cost every start 12 MB and some 100 ms.
    const bus: Bus = config.redisUrl
      ? await (await import('./bus/redis.ts')).createRedisBus(config.redisUrl, database.epoch, log)
      : createEmbeddedBus(log)
    closers.push(() => bus.close())
    const storage = config.s3
      ? await (await import('./storage/s3.ts')).createS3Storage(config.s3, config.dataDir, log)
      : await createDiskStorage(config.dataDir)
    closers.push(() => storage.close())
    if (storage.kind === 'disk' && (config.redisUrl || database.shared)) {
      log.warn(
        `files stay on this server in ${config.dataDir}, and ${config.redisUrl ? 'REDIS_URL is set' : 'another server uses this database'}: several servers need S3_BUCKET and the other S3_ variables, or they do not find each other’s files`,
      )
    }
    const mailer = config.smtpUrl
      ? createSmtpMailer(config.smtpUrl, config.mailFrom)
      : await createFileMailer(config.dataDir, config.mailFrom)
    closers.push(() => mailer.close())
    const secret = config.jwtSecret ?? keptSecret(config.dataDir)
    const queue = await JobQueue.open({ db: database.db, embedded: database.embedded, log })
    const clock = await DatabaseClock.open(database.db)
    const ctx: Context = {
      clock,
      storage,
      queue,
      mailer,
      config,
      db: database.db,
      epoch: database.epoch,
      log,
      bus,
      tokens: createTokenCodec(secret),
      keyedHash: (purpose, text) => keyedHash(secret, purpose, text),
      principals: new Principals(database.db, clock, bus),
      agentFeed: new AgentFeed(database.db, bus),
      incoming: new IncomingUploads(bus, config.uploadsPerUser),
    }
    // Nobody else works on the embedded database: uploads that are under way there were cut off with the last server.
    if (database.embedded) await cleanUp(ctx, { processing: true, orphans: false, maxAgeMinutes: 0 })
    await ensureAdministrator(ctx, overrides.onAdministratorMade ?? (() => {}))
    const nodeControl = new NodeControl(ctx)
    closers.push(() => nodeControl.close())
    const model = config.llm
      ? (await import('./model/openai.ts')).createOpenAiModel(config.llm)
      : builtinModel
    const agentRuns = new AgentRuns(ctx, model)
    closers.push(() => agentRuns.close())
    await agentRuns.sweep({ all: database.embedded })
    const hub = new Hub(ctx, overrides.keepAlive)
    const nodeSockets = new NodeSockets(bus, overrides.keepAlive)
    const drain = async () => void (await Promise.all([hub.drain(), nodeSockets.drain(), agentRuns.close()]))
    closers.push(drain)
    closers.push(() => queue.close())
    await queue.work(
      'thumbnail',
      {
        concurrency: THUMBNAILS_AT_ONCE,
        onGiveUp: ({ payload }, reason) => failThumbnail(ctx, renderer, payload.materialId, reason),
      },
      ({ payload, attempt }, signal) => makeThumbnail(ctx, renderer, payload.materialId, { attempt, signal }),
    )
    await queue.work('put_away', { concurrency: 1 }, ({ payload }) => putAway(ctx, payload.materialId))
    await queue.work('mail', { concurrency: MAILS_AT_ONCE }, ({ payload }) => deliverMail(ctx, payload))
    const scheduler = new Scheduler(database.db, log, [
      {
        ...{ id: 'cleanup_job', name: 'cleanup_stale_records', pattern: '*/30 * * * *' },
        run: () => cleanUp(ctx, { processing: true, orphans: true, maxAgeMinutes: 60 }),
      },
      {
        ...{ id: 'trim_events', name: 'trim_channel_events', pattern: '17 * * * *' },
        run: () => trimEvents(ctx),
      },
      {
        ...{ id: 'trim_sessions', name: 'trim_ended_sessions', pattern: '27 * * * *' },
        run: () => trimSessions(ctx),
      },
      {
        ...{ id: 'schedule_reminders', name: 'send_schedule_reminders', pattern: '*/10 * * * * *' },
        run: () => sendReminders(ctx),
      },
      {
        ...{ id: 'trim_agent_frames', name: 'trim_agent_frames', pattern: '37 * * * *' },
        run: () => trimFrames(ctx),
      },
      {
        ...{ id: 'trim_codes', name: 'trim_expired_codes', pattern: '47 * * * *' },
        run: async () => ({
          requests: await trimCodes(ctx),
          mails: await mailer.removeOlder(new Date(Date.now() - KEEP_MAILS_DAYS * 24 * 3_600_000)),
        }),
      },
    ])
    closers.push(() => scheduler.close())
    return {
      ctx,
      hub,
      nodeControl,
      nodeSockets,
      scheduler,
      agentRuns,
      embedded: {
        database: database.embedded,
        bus: bus.kind === 'embedded',
        storage: storage.kind === 'disk',
        mail: mailer.kind === 'files',
      },
      drain,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

function makeDirectory(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new StartupError(
      `The directory in DATA_DIR, ${dataDir}, can't be made: ${(error as { code: string }).code}.`,
    )
  }
}

/** The signing secret of a server without JWT_SECRET: made once, so that tokens survive a restart. */
function keptSecret(dataDir: string): string {
  const path = join(dataDir, 'jwt-secret')
  if (!existsSync(path)) {
    // There whole or not at all, and once: another server may start on this directory at the same moment.
    const draft = `${path}.${crypto.randomUUID()}`
    writeFileSync(draft, randomBytes(48).toString('base64url'), { mode: 0o600, flag: 'wx' })
    try {
      linkSync(draft, path)
    } catch (error) {
      if ((error as { code?: string }).code !== 'EEXIST') throw error
    } finally {
      rmSync(draft)
    }
  }
  return readFileSync(path, 'utf8')
}
