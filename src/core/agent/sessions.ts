/** Stored conversations with the agent. */
import { and, count, desc, eq, inArray, sql } from 'drizzle-orm'
import { prepared } from '../../db/prepared.ts'
import { agentMessages, agentRuns, agentSessions } from '../../db/schema/index.ts'
import { UUID } from '../../util/ids.ts'
import type { Principal } from '../accounts/principals.ts'
import type { Context, Tx } from '../context.ts'
import { notFound } from '../errors.ts'

export type AgentSession = typeof agentSessions.$inferSelect
export type AgentMessage = typeof agentMessages.$inferSelect
export type AgentRun = typeof agentRuns.$inferSelect

/** Messages of a session that are read at once. */
const MAX_MESSAGES = 1000

/** The user's sessions, the most recently used first. */
export async function listSessions(
  ctx: Context,
  userId: number,
  { page, pageSize }: { page: number; pageSize: number },
): Promise<{ sessions: AgentSession[]; total: number }> {
  const ofUser = eq(agentSessions.userId, userId)
  const [[total], sessions] = await Promise.all([
    ctx.db.select({ n: count() }).from(agentSessions).where(ofUser),
    ctx.db
      .select()
      .from(agentSessions)
      .where(ofUser)
      // `nulls last` as in the index, which otherwise has another order.
      .orderBy(sql`${agentSessions.updatedAt} desc nulls last`, desc(agentSessions.id))
      .limit(pageSize)
      .offset((page - 1) * pageSize),
  ])
  return { sessions, total: total!.n }
}

/**
 * A session by its id, or by the id of a thread.
 * @throws AppError NOT_FOUND, also for another user's session
 */
export async function ownSession(ctx: Context, who: Principal, id: string): Promise<AgentSession> {
  const session = await findOwnSession(ctx, who, id)
  if (!session) throw notFound('agent_session', id)
  return session
}

export async function findOwnSession(
  ctx: Context,
  who: Principal,
  id: string,
): Promise<AgentSession | undefined> {
  const ofThread = sessionIdOf(who, id)
  const [session] = await ctx.db
    .select()
    .from(agentSessions)
    .where(
      and(
        inArray(agentSessions.id, UUID.test(id) ? [id, ofThread] : [ofThread]),
        eq(agentSessions.userId, who.userId),
      ),
    )
  return session
}

/**
 * The id of the session in which a user's thread is kept, unless the thread is a session that the user has. Clients of AG-UI
 * name their threads themselves, so the id is a hash (RFC 9562, 5.8) of user and name: two users may use the same name.
 */
export function sessionIdOf({ userUuid }: Principal, threadId: string): string {
  const hash = new Bun.CryptoHasher('sha256').update(`${userUuid} ${threadId}`).digest()
  hash[6] = (hash[6]! & 0x0f) | 0x80
  hash[8] = (hash[8]! & 0x3f) | 0x80
  return hash.toString('hex', 0, 16).replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/**
 * Locks the session until the end of the transaction.
 * @throws AppError NOT_FOUND, also for another user's session
 */
export async function lockOwnSession(tx: Tx, who: Principal, id: string): Promise<AgentSession> {
  const [session] = UUID.test(id) ? await lockSession(tx.db).execute({ id, userId: who.userId }) : []
  if (!session) throw notFound('agent_session', id)
  return session
}

const lockSession = prepared((db) =>
  db
    .select()
    .from(agentSessions)
    .where(
      and(eq(agentSessions.id, sql.placeholder('id')), eq(agentSessions.userId, sql.placeholder('userId'))),
    )
    .for('update')
    .prepare('lock_agent_session'),
)

/** The newest run, ended or not; undefined: the session never had one. */
export async function latestRun(ctx: Context, sessionId: string): Promise<AgentRun | undefined> {
  const [run] = await ctx.db
    .select()
    .from(agentRuns)
    .where(eq(agentRuns.sessionId, sessionId))
    .orderBy(desc(agentRuns.startedAt), desc(agentRuns.id))
    .limit(1)
  return run
}

/** The newest messages of a session, oldest first. */
export async function readMessages(
  ctx: Context,
  sessionId: string,
  limit = MAX_MESSAGES,
): Promise<AgentMessage[]> {
  const newest = await newestMessages(ctx.db).execute({ sessionId, limit })
  return newest.reverse()
}

const newestMessages = prepared((db) =>
  db
    .select()
    .from(agentMessages)
    .where(eq(agentMessages.sessionId, sql.placeholder('sessionId')))
    .orderBy(desc(agentMessages.position))
    .limit(sql.placeholder('limit'))
    .prepare('newest_agent_messages'),
)
