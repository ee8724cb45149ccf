import { eq, gt, sql } from 'drizzle-orm'
import type { Bus } from '../../bus/bus.ts'
import type { Db } from '../../db/client.ts'
import type { DatabaseClock } from '../../db/clock.ts'
import { sessions, users } from '../../db/schema/index.ts'
import { Lru } from '../../util/lru.ts'
import { principalsHint } from './hints.ts'
import type { Role } from './permissions.ts'

/** Who makes a request, as far as every request needs to know. */
export interface Principal {
  userId: number
  userUuid: string
  username: string
  role: Role
  sessionId: string
}

export type SessionState = { status: 'active'; principal: Principal } | { status: 'inactive' | 'revoked' }

const CAPACITY = 50_000
/** Longer than any gap between a commit's clock and its visibility. */
const POLL_OVERLAP = '30 seconds'

/**
 * The session behind an access token, from memory: one query when this server first sees the session, none after.
 * Every change of a session or user that matters here publishes a `principals` hint after its commit, so a
 * revocation is effective on this server at once; `poll` finds what a lost hint of another server has missed.
 */
export class Principals {
  private readonly cache = new Lru<string, SessionState>(CAPACITY)
  /** Grows with every forgetting, so that a load that was under way meanwhile is not kept. */
  private generation = 0
  /** By the database's clock. */
  private polledAt: string
  private readonly listeners: ((change: { userId: number; sessionId?: string }) => void)[] = []

  constructor(
    private readonly db: Db,
    private readonly clock: DatabaseClock,
    bus: Bus,
  ) {
    this.polledAt = clock.text
    bus.subscribe(principalsHint, (change) => this.forget(change))
  }

  /** Called when a session may have ended or its user may have changed. */
  onChange(listener: (change: { userId: number; sessionId?: string }) => void): void {
    this.listeners.push(listener)
  }

  /** From memory, without waiting; undefined when this server has not seen the session yet. */
  peek(sessionId: string): SessionState | undefined {
    return this.cache.get(sessionId)
  }

  async load(sessionId: string): Promise<SessionState> {
    const cached = this.cache.get(sessionId)
    if (cached) return cached
    const generation = this.generation
    const [row] = await this.db
      .select({
        userId: users.id,
        userUuid: users.uuid,
        username: users.username,
        role: users.role,
        isActive: users.isActive,
        revokedAt: sessions.revokedAt,
      })
      .from(sessions)
      .innerJoin(users, eq(users.id, sessions.userId))
      .where(eq(sessions.id, sessionId))
    const state = toState(row, sessionId)
    // What does not exist is not kept: made-up ids must not push real sessions out.
    if (row && generation === this.generation) this.cache.set(sessionId, state)
    return state
  }

  /** Looks for changes that another server made since the last look; idempotent. */
  async poll(): Promise<void> {
    const startedAt = await this.clock.read()
    // That clock may have been set, forward or back, since the last look.
    const since = sql`least(${this.polledAt}::timestamptz, now()) - ${POLL_OVERLAP}::interval`
    const revoked = await this.db
      .select({ userId: sessions.userId, sessionId: sessions.id })
      .from(sessions)
      .where(gt(sessions.revokedAt, since))
    const changed = await this.db.select({ userId: users.id }).from(users).where(gt(users.updatedAt, since))
    for (const change of revoked) {
      if (this.cache.get(change.sessionId)?.status === 'active') this.forget(change)
    }
    for (const change of changed) this.forget(change)
    this.polledAt = startedAt
  }

  private forget(change: { userId: number; sessionId?: string }): void {
    this.generation++
    if (change.sessionId) this.cache.delete(change.sessionId)
    else {
      this.cache.deleteWhere((state) => state.status !== 'active' || state.principal.userId === change.userId)
    }
    for (const listener of this.listeners) listener(change)
  }
}

function toState(
  row: (Omit<Principal, 'sessionId'> & { isActive: boolean; revokedAt: Date | null }) | undefined,
  sessionId: string,
): SessionState {
  if (!row || row.revokedAt) return { status: 'revoked' }
  if (!row.isActive) return { status: 'inactive' }
  const { userId, userUuid, username, role } = row
  return { status: 'active', principal: { userId, userUuid, username, role, sessionId } }
}
