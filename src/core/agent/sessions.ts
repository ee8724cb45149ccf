/** Stored conversations with the agent. */
import { and, count, desc, eq, sql } from 'drizzle-orm'
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

/** @throws AppError NOT_FOUND, also for another user's session */
export async function ownSession(ctx: Context, who: Principal, id: string): Promise<AgentSession> {
  const [session] = UUID.test(id)
    ? await ctx.db
        .select()
        .from(agentSessions)
        .where(and(eq(agentSessions.id, id), eq(agentSessions.userId, who.userId)))
    : []
  if (!session) throw notFound('agent_session', id)
  return session
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
