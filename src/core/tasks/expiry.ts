/** Ends attempts whose time is over: assignments that nodes did not answer, and tasks that run too long. */
import { and, eq, inArray, isNotNull, type SQL, sql } from 'drizzle-orm'
import { tasks } from '../../db/schema/index.ts'
import type { Ages } from '../../util/ages.ts'
import type { Context, Tx } from '../context.ts'
import { sweepAll } from '../sweeps.ts'
import { systemConfig } from '../system/settings.ts'
import { failure } from './failures.ts'
import { loseAttempts } from './lost-attempts.ts'
import type { Task } from './rows.ts'
import { byOwner, failTask } from './settlement.ts'
import { tellNode } from './tasks.ts'

/** The server takes an assignment back when the node does not answer it in this time. */
export const ACCEPT_SECONDS = 10

/**
 * Takes back assignments that nodes did not answer.
 *
 * @param ages how long assignments have waited, kept from one call to the next
 * @param patience how many seconds this node may take, {@link ACCEPT_SECONDS} or more
 */
export async function expireAssignments(
  ctx: Context,
  ages: Ages,
  patience: (nodeId: number) => number,
): Promise<void> {
  const unanswered = and(eq(tasks.status, 'pending'), isNotNull(tasks.nodeId))
  const attempts = await lookAtAttempts(ctx, ages, unanswered, tasks.leasedAt)
  const late = attempts.filter(({ ageMs, nodeId }) => ageMs > patience(nodeId!) * 1000)
  await sweepAll(ctx, late, async (tx, some) => {
    // Read again under the lock, because the node may have answered meanwhile.
    const lost = await lockAttempts(tx, some, unanswered)
    await loseAttempts(tx, lost, failure('node_silent'))
  })
}

const EXPIRE_BATCH = 100

/**
 * Fails tasks that have run for longer than the system configuration allows.
 *
 * @param ages how long attempts have run, kept from one call to the next
 */
export async function expireRunning(ctx: Context, ages: Ages): Promise<void> {
  const { defaultTaskTimeout: seconds } = await systemConfig(ctx)
  const isRunning = and(eq(tasks.kind, 'gpu'), eq(tasks.status, 'running'))
  const running = await lookAtAttempts(ctx, ages, isRunning, tasks.attemptStartedAt)
  const overdue = running.filter(({ ageMs }) => ageMs > seconds * 1000).slice(0, EXPIRE_BATCH)
  await sweepAll(ctx, overdue, async (tx, some) => {
    const late = await lockAttempts(tx, some, isRunning)
    for (const task of byOwner(late)) {
      await failTask(tx, task, failure('time_limit', { seconds }))
      tellNode(tx, task)
    }
  })
}

type SeenAttempt = Pick<Task, 'id' | 'attempt' | 'nodeId'>

/** The matching attempts, with their age on the monotonic clock. The stored time of their beginning is a wall clock's. */
async function lookAtAttempts(
  ctx: Context,
  ages: Ages,
  which: SQL | undefined,
  began: typeof tasks.leasedAt | typeof tasks.attemptStartedAt,
): Promise<(SeenAttempt & { ageMs: number })[]> {
  const at = performance.now()
  const seconds = sql<number | null>`extract(epoch from now() - ${began})::float8`
  const rows = await ctx.db
    .select({ id: tasks.id, attempt: tasks.attempt, nodeId: tasks.nodeId, seconds })
    .from(tasks)
    .where(which)
  const keyOf = ({ id, attempt }: SeenAttempt) => `${id}:${attempt}`
  ages.look(
    rows.map((row) => ({ key: keyOf(row), seconds: row.seconds })),
    at,
  )
  return rows.map((row) => ({ ...row, ageMs: ages.of(keyOf(row))! }))
}

/** Locks those of these attempts that still match `which`. */
async function lockAttempts(tx: Tx, seen: SeenAttempt[], which: SQL | undefined): Promise<Task[]> {
  const attempts = new Map(seen.map(({ id, attempt }) => [id, attempt]))
  const rows = await tx.db
    .select()
    .from(tasks)
    .where(and(inArray(tasks.id, [...attempts.keys()]), which))
    .orderBy(tasks.id)
    .for('update')
  return rows.filter(({ id, attempt }) => attempts.get(id) === attempt)
}
