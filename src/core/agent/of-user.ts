import { and, asc, eq, inArray } from 'drizzle-orm'
import { agentRuns, agentSessions } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'

const BATCH = 100

/** Deletes some conversations of a deleted user, after the end of their runs. @returns how many */
export async function deleteConversationsOf(ctx: Context, userId: number): Promise<number> {
  const some = await ctx.db
    .select({ id: agentSessions.id })
    .from(agentSessions)
    .where(eq(agentSessions.userId, userId))
    .orderBy(asc(agentSessions.id))
    .limit(BATCH)
  if (some.length === 0) return 0
  const ids = some.map(({ id }) => id)
  const running = await ctx.db
    .select({ sessionId: agentRuns.sessionId })
    .from(agentRuns)
    .where(and(inArray(agentRuns.sessionId, ids), eq(agentRuns.status, 'running')))
  await Promise.all(running.map(({ sessionId }) => ctx.services.agentRuns.cancelRun(sessionId)))
  await ctx.db.delete(agentSessions).where(inArray(agentSessions.id, ids))
  return ids.length
}
