import { and, eq, isNull, lt, ne, not, or, type SQL, sql } from 'drizzle-orm'
import { refreshTokens, sessions, users } from '../../db/schema/index.ts'
import { trim } from '../../db/trim.ts'
import { cutText } from '../../util/cut.ts'
import { randomSecret, sha256 } from '../../util/secrets.ts'
import { type AuditedBy, audit, auditAlone, type Client } from '../audit/audit.ts'
import type { Context, Tx } from '../context.ts'
import { AppError } from '../errors.ts'
import { keyOf, networkOf } from '../rate-limits/keys.ts'
import { enforceFailureLimits, type Limit } from '../rate-limits/rate-limits.ts'
import { transaction } from '../transaction.ts'
import { findAccount, getAccount } from './accounts.ts'
import { principalsHint } from './hints.ts'
import { announceSignIn } from './login-event.ts'
import { checkPassword, hashPassword, verifyPassword } from './passwords.ts'
import type { User } from './rows.ts'

export interface SignedIn {
  user: User
  accessToken: string
  refreshToken: string
  /** Lifetime of the access token in seconds. */
  expiresIn: number
}

const REFRESH_DAYS = 7
const REFRESH_EXPIRY = sql`now() + make_interval(days => ${REFRESH_DAYS})`
/** Two tabs may use the same refresh token at once. A second use after this time counts as theft. */
const REUSE_GRACE_SECONDS = 10

/** Why a session has ended: docs/protocol.md, "Events". */
export type EndReason =
  | 'signed_out'
  | 'refresh_token_reused'
  | 'password_changed'
  | 'password_reset'
  | 'ended_by_administrator'
  | 'account_deactivated'
  | 'account_deleted'

/**
 * Only failures count, so that a user's own sign-ins never lock them out. The key has the name and not the account,
 * because a limit that an email and a username share would tell that they belong together.
 */
const signInLimits = (ip: string, name: string): Limit[] => [
  { policy: 'sign-in-name', key: `${networkOf(ip)}:${keyOf(name)}`, max: 10, windowMs: 5 * 60_000 },
  { policy: 'sign-in', key: networkOf(ip), max: 100, windowMs: 5 * 60_000 },
]

/**
 * Opens a session. `name` is the email or the username.
 * @throws AppError INVALID_CREDENTIALS, INACTIVE_USER, RATE_LIMITED
 */
export async function signIn(
  ctx: Context,
  input: { name: string; password: string; accessMinutes: number; client: Client },
): Promise<SignedIn> {
  const { password, client } = input
  let account: User | undefined
  const user = await enforceFailureLimits(ctx, signInLimits(client.ip, input.name), async () => {
    account = await findAccount(ctx, input.name)
    const check = await checkPassword(password, account?.passwordHash)
    if (!account || check === 'wrong') return undefined
    return check === 'old' ? rehashPassword(ctx, account, password) : account
  })
  // Known and unknown names do the same work, so that the time of the answer tells nothing.
  if (!user) {
    await recordFailure(ctx, input, account, account ? 'wrong_password' : 'unknown_name')
    throw new AppError('INVALID_CREDENTIALS')
  }
  if (!user.isActive) {
    await recordFailure(ctx, input, user, 'inactive')
    throw new AppError('INACTIVE_USER')
  }
  return openSession(ctx, user, input.accessMinutes, client)
}

const recordFailure = (
  ctx: Context,
  { name, client }: { name: string; client: Client },
  account: User | undefined,
  reason: 'unknown_name' | 'wrong_password' | 'inactive',
): Promise<void> =>
  auditAlone(
    ctx,
    { client },
    {
      action: 'user.sign_in_failed',
      target: account?.id,
      subject: account?.id,
      details: { reason, name: ctx.keyedHash('audit-name', keyOf(name)) },
    },
  )

/** @returns undefined when the user has changed the password meanwhile */
async function rehashPassword(ctx: Context, user: User, password: string): Promise<User | undefined> {
  const passwordHash = await hashPassword(password)
  const [changed] = await ctx.db
    .update(users)
    .set({ passwordHash })
    .where(and(eq(users.id, user.id), eq(users.passwordHash, user.passwordHash)))
    .returning()
  if (changed) return changed
  // Another sign-in of the same user may have rehashed it first.
  const current = await getAccount(ctx, user.id)
  return (await verifyPassword(password, current.passwordHash)) ? current : undefined
}

/**
 * Opens a session for a user who has proved their identity.
 * @throws AppError INVALID_CREDENTIALS when the password has been changed, or the account deactivated, meanwhile
 */
export async function openSession(
  ctx: Context,
  user: User,
  accessMinutes: number,
  client: Client,
): Promise<SignedIn> {
  const { sessionId, refreshToken } = await transaction(ctx, async (tx) => {
    const added = await addSession(tx, user, client)
    await announceSignIn(tx, user, added.sessionId, client)
    return added
  })
  return issueTokens(ctx, user, sessionId, refreshToken, accessMinutes)
}

/**
 * Adds a session as part of a larger change. The caller tells of the sign-in with `announceSignIn`, and issues the session's
 * tokens with `issueTokens` after the commit.
 * @throws AppError INVALID_CREDENTIALS when the password has been changed, or the account deactivated, meanwhile
 */
export async function addSession(
  tx: Tx,
  user: User,
  client: Client,
): Promise<{ sessionId: string; refreshToken: string }> {
  // Update the user row first. What changes the password or deactivates the account locks the same row, so either it also
  // revokes this session, or the comparison here fails.
  const current = await tx.db
    .update(users)
    .set({ lastLoginAt: sql`now()` })
    .where(and(eq(users.id, user.id), eq(users.passwordHash, user.passwordHash), users.isActive))
    .returning({ id: users.id })
  if (current.length === 0) throw new AppError('INVALID_CREDENTIALS')
  const sessionId = Bun.randomUUIDv7()
  const refreshToken = randomSecret('rt')
  await tx.db.insert(sessions).values({
    id: sessionId,
    userId: user.id,
    userAgent: client.userAgent === undefined ? null : cutText(client.userAgent, 300),
    ip: client.ip,
    expiresAt: REFRESH_EXPIRY,
  })
  await tx.db.insert(refreshTokens).values({ hash: sha256(refreshToken), sessionId })
  const by = { userId: user.id, username: user.username, client }
  const details = { session: sessionId }
  audit(tx, by, { action: 'user.signed_in', target: user.id, subject: user.id, details })
  return { sessionId, refreshToken }
}

/**
 * Rotates a refresh token. A second use later than ten seconds after the rotation ends the whole session.
 * @throws AppError INVALID_REFRESH_TOKEN, INACTIVE_USER
 */
export async function refreshSession(
  ctx: Context,
  input: { refreshToken: string; accessMinutes: number; client: Client },
): Promise<SignedIn> {
  const next = randomSecret('rt')
  // A failure leaves the transaction as a value, because an exception would roll back the end of a replayed session.
  const outcome = await transaction(ctx, async (tx) => {
    const [row] = await tx.db
      .select({
        session: sessions,
        user: users,
        usedSecondsAgo: sql<number | null>`extract(epoch from now() - ${refreshTokens.usedAt})::float8`,
        sessionEnded: sql<boolean>`${sessions.revokedAt} is not null or ${sessions.expiresAt} < now()`,
        expired: sql<boolean>`${refreshTokens.createdAt} < now() - make_interval(days => ${REFRESH_DAYS})`,
      })
      .from(refreshTokens)
      .innerJoin(sessions, eq(sessions.id, refreshTokens.sessionId))
      .innerJoin(users, eq(users.id, sessions.userId))
      .where(eq(refreshTokens.hash, sha256(input.refreshToken)))
      .for('update', { of: refreshTokens })
    if (!row || row.user.deletedAt) return 'INVALID_REFRESH_TOKEN'
    // A deactivation has ended the session too, and the user should learn why.
    if (!row.user.isActive) return 'INACTIVE_USER'
    if (row.sessionEnded) return 'INVALID_REFRESH_TOKEN'
    if (row.usedSecondsAgo !== null && row.usedSecondsAgo > REUSE_GRACE_SECONDS) {
      await revoke(tx, { client: input.client }, eq(sessions.id, row.session.id), 'refresh_token_reused')
      return 'INVALID_REFRESH_TOKEN'
    }
    // The token of one tab can expire unused while the token of another tab keeps the session alive.
    if (row.expired) return 'INVALID_REFRESH_TOKEN'
    if (row.usedSecondsAgo === null) {
      await tx.db
        .update(refreshTokens)
        .set({ usedAt: sql`now()` })
        .where(eq(refreshTokens.hash, sha256(input.refreshToken)))
    }
    await tx.db.insert(refreshTokens).values({ hash: sha256(next), sessionId: row.session.id })
    await tx.db
      .update(sessions)
      .set({ expiresAt: REFRESH_EXPIRY, lastSeenAt: sql`now()` })
      .where(eq(sessions.id, row.session.id))
    return row
  })
  if (typeof outcome === 'string') throw new AppError(outcome)
  return issueTokens(ctx, outcome.user, outcome.session.id, next, input.accessMinutes)
}

/** Ends a session of a user. Ending it twice is no error. */
export async function endSession(
  ctx: Context | Tx,
  by: AuditedBy,
  userId: number,
  sessionId: string,
  reason: EndReason,
): Promise<void> {
  await transaction(ctx, (tx) =>
    revoke(tx, by, and(eq(sessions.id, sessionId), eq(sessions.userId, userId)), reason),
  )
}

/** Signs the user of a refresh token out, also of a rotated one. An unknown token is no error. */
export async function signOutWith(ctx: Context, client: Client, refreshToken: string): Promise<void> {
  await transaction(ctx, async (tx) => {
    const [owner] = await tx.db
      .select({ sessionId: sessions.id, userId: users.id, username: users.username })
      .from(refreshTokens)
      .innerJoin(sessions, eq(sessions.id, refreshTokens.sessionId))
      .innerJoin(users, eq(users.id, sessions.userId))
      .where(eq(refreshTokens.hash, sha256(refreshToken)))
    if (owner) await revoke(tx, { ...owner, client }, eq(sessions.id, owner.sessionId), 'signed_out')
  })
}

/** @param except the id of a session that stays */
export async function endSessions(
  tx: Tx,
  by: AuditedBy,
  userId: number,
  reason: EndReason,
  except?: string,
): Promise<void> {
  await revoke(tx, by, and(eq(sessions.userId, userId), except ? ne(sessions.id, except) : undefined), reason)
}

async function revoke(tx: Tx, by: AuditedBy, which: SQL | undefined, reason: EndReason): Promise<void> {
  const revoked = await tx.db
    .update(sessions)
    .set({ revokedAt: sql`clock_timestamp()` })
    .where(and(which, isNull(sessions.revokedAt)))
    .returning({ id: sessions.id, userId: sessions.userId })
  for (const { id, userId } of revoked) {
    tx.emit(userId, 'session.revoked', { sessionId: id, reason })
    recordEnd(tx, by, { sessionId: id, userId, reason })
    tx.afterCommit(() => tx.bus.publish(principalsHint, { userId, sessionId: id }))
  }
}

function recordEnd(
  tx: Tx,
  by: AuditedBy,
  { sessionId, userId, reason }: { sessionId: string; userId: number; reason: EndReason },
): void {
  if (reason === 'signed_out') {
    const details = { session: sessionId }
    audit(tx, by, { action: 'user.signed_out', target: userId, subject: userId, details })
  } else {
    audit(tx, by, { action: 'session.ended', target: sessionId, subject: userId, details: { reason } })
  }
}

export async function issueTokens(
  ctx: Context,
  user: User,
  sessionId: string,
  refreshToken: string,
  accessMinutes: number,
): Promise<SignedIn> {
  const expiresIn = accessMinutes * 60
  const expiresAt = Math.floor(Date.now() / 1000) + expiresIn
  const accessToken = await ctx.tokens.sign({ userId: user.id, sessionId, expiresAt })
  return { user, accessToken, refreshToken, expiresIn }
}

/**
 * Deletes sessions that ended more than a day ago, which is longer than any access token is valid. Those of a deactivated user
 * stay until they would have expired, so that a client with such a token is told why it is refused.
 */
export function trimSessions(ctx: Context): Promise<number> {
  const ended = sql`now() - interval '1 day'`
  const isInactive = sql`exists (select from ${users} u where u.id = ${sessions.userId} and not u.is_active)`
  const gone = or(lt(sessions.expiresAt, ended), and(lt(sessions.revokedAt, ended), not(isInactive)))
  return trim(ctx.db, sessions, sql`select ctid from ${sessions} where ${gone}`)
}
