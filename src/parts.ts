/** Opens each part in its embedded or its real form, as the configuration says. */
import type { Bus } from './bus/bus.ts'
import { createEmbeddedBus } from './bus/embedded.ts'
import type { Cache } from './cache/cache.ts'
import { createMemoryCache } from './cache/memory.ts'
import type { Config } from './config/index.ts'
import { type Database, openDatabase, type Upgrade } from './db/client.ts'
import { DatabaseClock } from './db/clock.ts'
import type { EmbeddedPostgres } from './db/embedded.ts'
import { createImaging, type Imaging } from './imaging/imaging.ts'
import type { JobHandle } from './jobs/job.ts'
import { JobQueue } from './jobs/queue.ts'
import { createFileMailer } from './mail/files.ts'
import type { Mailer } from './mail/mailer.ts'
import { builtinModel } from './model/builtin/index.ts'
import type { ChatModel } from './model/model.ts'
import { createDiskStorage } from './storage/disk.ts'
import type { Storage } from './storage/storage.ts'
import { makeDataDir } from './util/data-dir.ts'
import type { Logger } from './util/logger.ts'
import type { Counter } from './util/metrics.ts'

export interface Parts {
  database: Database
  clock: DatabaseClock
  bus: Bus
  cache: Cache
  storage: Storage
  mailer: Mailer
  queue: JobQueue
  model: ChatModel
  imaging: Imaging
}

/** Parts that a test brings along in place of those that the configuration names; the test closes them. */
export interface GivenParts extends Partial<Pick<Parts, 'bus' | 'storage' | 'mailer' | 'model' | 'imaging'>> {
  /** The embedded database, when the program has begun to start it. The server closes it. */
  embeddedDatabase?: Promise<EmbeddedPostgres> | undefined
}

/**
 * Opens the parts, one after the other.
 * @param domains what the domains need in the database: a queue for each job, and rows in their current form
 * @param onOpen gets the function that closes a part as soon as that part is open
 * @throws StartupError with a message for the operator
 */
export async function openParts(
  config: Config,
  log: Logger,
  given: GivenParts,
  domains: { jobs: readonly JobHandle[]; upgrades: readonly Upgrade[] },
  counters: { jobRuns: Counter; cacheReads: Counter },
  onOpen: (close: () => Promise<unknown> | unknown) => void,
): Promise<Parts> {
  // The embedded database makes the directory itself.
  if (config.databaseUrl) makeDataDir(config.dataDir)
  const database = await openDatabase(config, log, domains.upgrades, given.embeddedDatabase)
  onOpen(() => database.close())
  const bus = given.bus ?? (await openBus(config, database, log))
  if (!given.bus) onOpen(() => bus.close())
  const cache = await openCache(config, database, log, counters.cacheReads)
  onOpen(() => cache.close())
  const storage = given.storage ?? (await openStorage(config, log))
  if (!given.storage) onOpen(() => storage.close())
  warnOfLocalFiles(config, database, storage, log)
  const mailer = given.mailer ?? (await openMailer(config))
  if (!given.mailer) onOpen(() => mailer.close())
  const { db, embedded } = database
  const queue = await JobQueue.open({ db, embedded, log, runs: counters.jobRuns }, domains.jobs)
  onOpen(() => queue.close())
  return {
    database,
    bus,
    cache,
    storage,
    mailer,
    queue,
    clock: await DatabaseClock.open(database.db),
    model: given.model ?? (await openModel(config)),
    imaging: given.imaging ?? createImaging(),
  }
}

// The real forms are imported only when the configuration names one: together they cost every start 12 MB and some 100 ms.

const openBus = async ({ redisUrl }: Config, { epoch }: Database, log: Logger): Promise<Bus> =>
  redisUrl ? (await import('./bus/redis.ts')).createRedisBus(redisUrl, epoch, log) : createEmbeddedBus(log)

/** Of the cached answers in this process. */
const CACHE_BYTES = 32_000_000

async function openCache(
  { redisUrl }: Config,
  { epoch }: Database,
  log: Logger,
  reads: Counter,
): Promise<Cache> {
  if (!redisUrl) return createMemoryCache(CACHE_BYTES, reads)
  const { createRedisCache } = await import('./cache/redis.ts')
  const { valuesVersion } = await import('./cache/version.ts')
  return createRedisCache(redisUrl, { epoch, version: await valuesVersion() }, CACHE_BYTES, log, reads)
}

export const openStorage = async (
  { s3, dataDir }: Pick<Config, 's3' | 'dataDir'>,
  log: Logger,
): Promise<Storage> =>
  s3 ? (await import('./storage/s3.ts')).createS3Storage(s3, dataDir, log) : createDiskStorage(dataDir)

const openMailer = async ({ smtpUrl, mailFrom, dataDir }: Config): Promise<Mailer> =>
  smtpUrl
    ? (await import('./mail/smtp.ts')).createSmtpMailer(smtpUrl, mailFrom)
    : createFileMailer(dataDir, mailFrom)

const openModel = async ({ llm }: Config): Promise<ChatModel> =>
  llm ? (await import('./model/openai.ts')).createOpenAiModel(llm) : builtinModel

function warnOfLocalFiles(
  { dataDir, redisUrl }: Config,
  database: Database,
  storage: Storage,
  log: Logger,
): void {
  if (storage.kind !== 'disk' || (!redisUrl && !database.shared)) return
  const why = redisUrl ? 'REDIS_URL is set' : 'another server uses this database'
  log.warn(
    `files stay on this server in ${dataDir}, and ${why}: several servers need S3_BUCKET and the other S3_ variables, or they do not find each other’s files`,
  )
}
