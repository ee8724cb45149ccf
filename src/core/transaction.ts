import { sql } from 'drizzle-orm'
import type { Db } from '../db/client.ts'
import { isRetryable } from '../db/errors.ts'
import { commitWithNext } from '../db/statements.ts'
import { appendEntries, type NewEntry } from './audit/log.ts'
import { eventsHint } from './channel/hints.ts'
import { type AppendedEvent, appendEvents, type PendingEvent } from './channel/log.ts'
import { type Context, isTx, type Tx } from './context.ts'
import type { CachedDomain } from './generations/generations.ts'

const MAX_TRIES = 4

/**
 * Runs `change` in one transaction together with the events that it emits and its entries of the audit log. The events reach
 * the bus and the hooks run after the commit. Called with a Tx, it joins that transaction: events and hooks wait for the outermost commit, and an
 * error of `change` fails the outermost transaction even when a caller in between catches it, because the statements
 * of a half-done change must not be committed.
 * `change` may run more than once, so it must have no effect outside the transaction.
 * @param options.lockMs a statement that waits longer than this for a lock fails; only for an outermost transaction,
 * because PostgreSQL would apply it to the rest of the outer one too
 */
export async function transaction<T>(
  ctx: Context | Tx,
  change: (tx: Tx) => Promise<T>,
  { lockMs }: { lockMs?: number | undefined } = {},
): Promise<T> {
  if (isTx(ctx)) {
    if (lockMs !== undefined)
      throw new Error('lockMs was given inside a transaction. Set it on the outermost transaction.')
    return join(ctx, change)
  }
  return retried(() => runOnce(ctx, change, lockMs))
}

/**
 * Runs a change that is one statement and appends its event itself (`withEvent`), if it has one: without BEGIN and COMMIT it
 * costs half of a transaction. The promises are the same: the event reaches the bus after the commit, and `change` may run
 * more than once. It raises no generation, so it cannot change what the cache keeps answers of: that takes a transaction.
 */
export async function singleStatement<T>(
  ctx: Context,
  change: (db: Db) => Promise<{ result: T; event: AppendedEvent | undefined }>,
): Promise<T> {
  // The statement would lock the channel before the change around it comes to its end.
  if (isTx(ctx))
    throw new Error('A single statement was called inside a transaction. Call it after the commit.')
  const { result, event } = await retried(() => change(ctx.db))
  if (event) appended(ctx, [event])
  return result
}

function appended({ bus, metrics, services }: Context, events: AppendedEvent[]): void {
  metrics.eventsAppended.value += events.length
  bus.publish(eventsHint, events)
  if (events.some(({ hooked }) => hooked)) services.webhooks.wake()
}

async function retried<T>(run: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run()
    } catch (error) {
      if (attempt === MAX_TRIES || !isRetryable(error)) throw error
    }
  }
}

async function join<T>(tx: Tx, change: (tx: Tx) => Promise<T>): Promise<T> {
  try {
    return await change(tx)
  } catch (error) {
    tx.fail(error)
    throw error
  }
}

async function runOnce<T>(
  ctx: Context,
  change: (tx: Tx) => Promise<T>,
  lockMs: number | undefined,
): Promise<T> {
  const pending: PendingEvent[] = []
  const changed = new Set<CachedDomain>()
  const entries: NewEntry[] = []
  const hooks: (() => void)[] = []
  const failures: unknown[] = []
  const { result, logged } = await ctx.db.transaction(async (db) => {
    if (lockMs !== undefined)
      await db.execute(sql`select set_config('lock_timeout', ${String(lockMs)}, true)`)
    const result = await change({
      ...ctx,
      db,
      emit: (userId, type, data) => pending.push({ userId, type, data: ctx.presentEvent(type, data) }),
      changed: (...domains) => {
        for (const domain of domains) changed.add(domain)
      },
      record: (entry) => entries.push(entry),
      afterCommit: (run) => hooks.push(run),
      fail: (error) => failures.push(error),
    })
    if (failures.length > 0) throw failures[0]
    return { result, logged: await finish(ctx, db, { entries, changed, pending }) }
  })
  if (logged.length > 0) appended(ctx, logged)
  for (const hook of hooks) {
    try {
      hook()
    } catch (error) {
      ctx.log.error({ err: error }, 'a step after a commit failed')
    }
  }
  return result
}

/**
 * The last statements of a transaction; the last of all carries the COMMIT. They are sent at once: the rows of `generations` are
 * locked by one change of photos after the other, so a round trip between them would be one that all the others wait for.
 */
async function finish(
  { services }: Context,
  db: Db,
  {
    entries,
    changed,
    pending,
  }: { entries: NewEntry[]; changed: ReadonlySet<CachedDomain>; pending: PendingEvent[] },
): Promise<AppendedEvent[]> {
  let logged: AppendedEvent[] = []
  const statements: (() => Promise<unknown>)[] = []
  if (entries.length > 0) statements.push(() => appendEntries(db, entries))
  const raise = changed.size > 0 ? services.generations.raise(changed) : undefined
  if (raise) statements.push(() => raise(db))
  if (pending.length > 0)
    statements.push(async () => {
      logged = await appendEvents(db, pending)
    })
  await Promise.all(
    statements.map((send, n) => {
      if (n === statements.length - 1) commitWithNext(db)
      return send()
    }),
  )
  return logged
}
