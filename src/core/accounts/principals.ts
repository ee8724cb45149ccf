import { eq, sql } from 'drizzle-orm'
import { LRUCache } from 'lru-cache'
import type { Bus } from '../../bus/bus.ts'
import type { Db } from '../../db/client.ts'
import type { DatabaseClock } from '../../db/clock.ts'
import { prepared, preparedSql } from '../../db/prepared.ts'
import { sessions, users } from '../../db/schema/index.ts'
import type { Client } from '../audit/audit.ts'
import { type PrincipalChange, principalsHint } from './hints.ts'
import type { Role } from './permissions.ts'

/** A signed-in user. */
export interface Principal {
  userId: number
  userUuid: string
  username: string
  role: Role
  sessionId: string
}

/** The signed-in user of a request, and where the request comes from, for the audit log. */
export interface Actor extends Principal {
  client: Client
}

export type SessionState = { status: 'active'; principal: Principal } | { status: 'inactive' | 'revoked' }

const CAPACITY = 50_000
/** Longer than the time between the timestamp of a change and its commit, before which a poll can't see it. */
const POLL_OVERLAP = '30 seconds'

const sessionById = prepared((db) =>
  db
    .select({
      userId: users.id,
      userUuid: users.uuid,
      username: users.username,
      role: users.role,
      isActive: users.isActive,
      deletedAt: users.deletedAt,
      revokedAt: sessions.revokedAt,
    })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .where(eq(sessions.id, sql.placeholder('id')))
    .prepare('session_by_id'),
)

interface StoredChange {
  userId: number
  sessionId: string | null
  /** Of the user's row; empty for a session, which ends once. */
  version: string
}

/** The clock of the database may have been set back since the last poll. */
const changesSince = preparedSql<StoredChange>(
  'principal_changes',
  sql`
    with since as (select least(${sql.placeholder('polledAt')}::timestamptz, now()) - ${POLL_OVERLAP}::interval as at)
    select user_id as "userId", id as "sessionId", '' as version from sessions where revoked_at > (select at from since)
    union all
    select id, null, xmin::text from users where updated_at > (select at from since)`,
)

/**
 * The sessions of access tokens, from memory: one query when this server first sees a session, none after.
 * Every change of a session or user that matters here publishes a `principals` hint after its commit, so a
 * revocation takes effect on this server at once. `poll` finds the changes whose hint from another server was lost.
 */
export class Principals {
  private readonly cache = new LRUCache<string, SessionState>({ max: CAPACITY })
  /** Grows with every removal from the cache, so that a load that began before the removal does not fill it again. */
  private generation = 0
  /** The database's time of the last poll. */
  private polledAt: string
  /** The changes that the last poll found. Polls overlap, and each change is told once. */
  private polled: ReadonlySet<string> = new Set()
  private readonly listeners: ((change: PrincipalChange) => void)[] = []
  /** By user. */
  private readonly watchers = new Map<number, Set<Watcher>>()

  constructor(
    private readonly db: Db,
    private readonly clock: DatabaseClock,
    bus: Bus,
  ) {
    this.polledAt = clock.text
    bus.subscribe(principalsHint, (change) => this.forget(change))
  }

  /** The listener is called when a session may have ended or its user may have changed. */
  onChange(listener: (change: PrincipalChange) => void): void {
    this.listeners.push(listener)
  }

  /**
   * Watches one session for a request that takes long: `wake` is called when the session may have ended or its user may have
   * changed, until the result is disposed of.
   */
  watch({ userId, sessionId }: Pick<Principal, 'userId' | 'sessionId'>, wake: () => void): Disposable {
    const watcher = { sessionId, wake }
    const ofUser = this.watchers.get(userId) ?? new Set()
    this.watchers.set(userId, ofUser.add(watcher))
    return {
      [Symbol.dispose]: () => {
        ofUser.delete(watcher)
        if (ofUser.size === 0 && this.watchers.get(userId) === ofUser) this.watchers.delete(userId)
      },
    }
  }

  /** From memory, without a promise; undefined when this server has not seen the session yet. */
  peek(sessionId: string): SessionState | undefined {
    return this.cache.get(sessionId)
  }

  async load(sessionId: string): Promise<SessionState> {
    const cached = this.cache.get(sessionId)
    if (cached) return cached
    const generation = this.generation
    const [row] = await sessionById(this.db).execute({ id: sessionId })
    const state = toState(row, sessionId)
    // A session that does not exist is not cached, because invented ids would push real sessions out of the cache.
    if (row && generation === this.generation) this.cache.set(sessionId, state)
    return state
  }

  /** Reads the changes that any server has made since the last poll, and drops them from the cache. */
  async poll(): Promise<void> {
    const startedAt = await this.clock.read()
    const polled = new Set<string>()
    for (const { userId, sessionId, version } of await changesSince(this.db).execute({
      polledAt: this.polledAt,
    })) {
      const key = `${userId} ${sessionId} ${version}`
      polled.add(key)
      if (this.polled.has(key)) continue
      // Also when the cache lacks the session, or has it as ended: a request may have read it again since, and the listeners
      // have not been told.
      this.forget(sessionId === null ? { userId } : { userId, sessionId })
    }
    this.polled = polled
    this.polledAt = startedAt
  }

  private forget(change: PrincipalChange): void {
    this.generation++
    if (change.sessionId) this.cache.delete(change.sessionId)
    else {
      for (const [id, state] of [...this.cache.entries()]) {
        if (state.status !== 'active' || state.principal.userId === change.userId) this.cache.delete(id)
      }
    }
    for (const listener of this.listeners) listener(change)
    for (const { sessionId, wake } of this.watchers.get(change.userId) ?? [])
      if (change.sessionId === undefined || change.sessionId === sessionId) wake()
  }
}

interface Watcher {
  sessionId: string
  wake: () => void
}

function toState(
  row:
    | (Omit<Principal, 'sessionId'> & { isActive: boolean; deletedAt: Date | null; revokedAt: Date | null })
    | undefined,
  sessionId: string,
): SessionState {
  if (!row || row.deletedAt) return { status: 'revoked' }
  // A deactivation has ended the session too, and the user should learn why.
  if (!row.isActive) return { status: 'inactive' }
  if (row.revokedAt) return { status: 'revoked' }
  const { userId, userUuid, username, role } = row
  return { status: 'active', principal: { userId, userUuid, username, role, sessionId } }
}
