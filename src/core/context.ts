import type { Bus } from '../bus/bus.ts'
import type { Cache } from '../cache/cache.ts'
import type { Config } from '../config/index.ts'
import type { Db } from '../db/client.ts'
import type { DatabaseClock } from '../db/clock.ts'
import type { Imaging } from '../imaging/imaging.ts'
import type { JobQueue } from '../jobs/queue.ts'
import type { Scheduler } from '../jobs/scheduler.ts'
import type { Mailer } from '../mail/mailer.ts'
import type { ChatModel } from '../model/model.ts'
import type { Storage } from '../storage/storage.ts'
import type { Logger } from '../util/logger.ts'
import type { Sealed } from '../util/sealed.ts'
import type { NewEntry } from './audit/log.ts'
import type { ChannelEvents } from './events.ts'
import type { CachedDomain } from './generations/generations.ts'
import type { Metrics } from './metrics.ts'
import type { Services } from './services.ts'
import type { PresentPayloads } from './webhooks/payloads.ts'

/** The first argument of every function in core. `createServer` builds it once; tests may replace its parts. */
export interface Context {
  readonly config: Config
  readonly db: Db
  readonly clock: DatabaseClock
  /** Identifies the database. Every cursor contains it. */
  readonly epoch: string
  readonly log: Logger
  readonly bus: Bus
  readonly cache: Cache
  readonly storage: Storage
  readonly queue: JobQueue
  readonly scheduler: Scheduler
  readonly mailer: Mailer
  readonly model: ChatModel
  readonly imaging: Imaging
  readonly metrics: Metrics
  readonly tokens: TokenCodec
  /** A hash whose key is the server's secret. Hashes of the same text differ by `purpose`. */
  readonly keyedHash: (purpose: string, text: string) => string
  /** Encrypts with a key that is made of the server's secret. */
  readonly sealed: Sealed
  readonly services: Services
  /** The `data` of an event as clients see it: the log stores and sends that text. */
  readonly presentEvent: <T extends keyof ChannelEvents>(type: T, data: ChannelEvents[T]) => object
  /** The `data` of the bodies of webhooks, where they show more than the event. */
  readonly presentPayloads: PresentPayloads
}

/**
 * The context inside a transaction: its `db` is the transaction, so that no statement can run outside by mistake.
 * A function that takes a Tx is part of its caller's change.
 */
export interface Tx extends Context {
  /** Adds an event to a user's channel. It is stored, and delivered, with the change or not at all. */
  emit<T extends keyof ChannelEvents>(userId: number, type: T, data: ChannelEvents[T]): void
  /** Says what the change has changed, so that no server shows a cached answer of it that is older than the commit. */
  changed(...domains: CachedDomain[]): void
  /** Adds an entry to the audit log. Callers use `audit` (core/audit/audit.ts), which masks secrets. */
  record(entry: NewEntry): void
  /** Runs `run` after the outermost commit, and never after a rollback. An error of `run` is logged. */
  afterCommit(run: () => void): void
  /** Rolls the transaction back at its end with this error, even when a caller in between catches the error. */
  fail(error: unknown): void
}

export const isTx = (ctx: Context | Tx): ctx is Tx => 'afterCommit' in ctx

export interface AccessClaims {
  userId: number
  sessionId: string
  /** Seconds since the epoch. */
  expiresAt: number
}

/** Signs and reads access tokens. */
export interface TokenCodec {
  sign(claims: AccessClaims): Promise<string>
  /** Undefined when this server did not sign the token. The claims of an expired token are returned. */
  verify(token: string): Promise<AccessClaims | undefined>
}
