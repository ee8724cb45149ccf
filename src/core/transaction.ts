import { sql } from 'drizzle-orm'
import { sqlState } from '../db/errors.ts'
import { appendEvents, type PendingEvent } from './channel/log.ts'
import type { Context, Tx } from './context.ts'

const MAX_TRIES = 4
/** serialization_failure and deadlock_detected: the database undid the transaction, it may simply run again. */
const RETRYABLE = new Set(['40001', '40P01'])

/**
 * Runs `change` in one transaction together with the events that it emits. Hooks and hints follow the commit.
 * `change` may run more than once: it must have no effect outside the transaction. `lockMs`: fails when a lock does not
 * come in that time.
 */
export async function transaction<T>(
  ctx: Context,
  change: (tx: Tx) => Promise<T>,
  { lockMs }: { lockMs?: number | undefined } = {},
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await runOnce(ctx, change, lockMs)
    } catch (error) {
      if (attempt === MAX_TRIES || !RETRYABLE.has(sqlState(error) ?? '')) throw error
    }
  }
}

async function runOnce<T>(
  ctx: Context,
  change: (tx: Tx) => Promise<T>,
  lockMs: number | undefined,
): Promise<T> {
  const pending: PendingEvent[] = []
  const hooks: (() => void)[] = []
  const { result, logged } = await ctx.db.transaction(async (db) => {
    if (lockMs !== undefined)
      await db.execute(sql`select set_config('lock_timeout', ${String(lockMs)}, true)`)
    const result = await change({
      ...ctx,
      db,
      emit: (userId, type, data) => pending.push({ userId, type, data }),
      afterCommit: (run) => hooks.push(run),
    })
    return { result, logged: pending.length > 0 ? await appendEvents(db, pending) : [] }
  })
  if (logged.length > 0) ctx.bus.publish('events', logged)
  for (const hook of hooks) {
    try {
      hook()
    } catch (error) {
      ctx.log.error({ err: error }, 'a step after a commit failed')
    }
  }
  return result
}
