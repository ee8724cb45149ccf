/**
 * Sweeps do what nobody waits for, on rows of many users at once. They must not queue behind a row that somebody else
 * holds: a server that vanished in the middle of a transaction holds its rows for seconds.
 */
import { isLocked } from '../db/errors.ts'
import type { Context, Tx } from './context.ts'
import { transaction } from './transaction.ts'

/** What a sweep waits for a lock: longer than an ordinary transaction holds one. */
export const LOCK_MS = 300
/** In the second round, which takes one item after the other. */
const SINGLE_LOCK_MS = 50

/** Runs `change` in a transaction. @returns undefined when rows that it needs are held by others: the next sweep tries again */
export async function sweepOne<T>(
  ctx: Context,
  change: (tx: Tx) => Promise<T>,
  lockMs = LOCK_MS,
): Promise<{ result: T } | undefined> {
  try {
    return { result: await transaction(ctx, change, { lockMs }) }
  } catch (error) {
    if (isLocked(error)) return undefined
    throw error
  }
}

/**
 * Runs `change` on all items in one transaction; when rows that it needs are held by others, on each item in a
 * transaction of its own, so that only those wait whose own rows are held.
 * @returns how many were done; the next sweep finds the others
 */
export async function sweepAll<T>(
  ctx: Context,
  items: T[],
  change: (tx: Tx, items: T[]) => Promise<unknown>,
): Promise<number> {
  if (items.length === 0) return 0
  if (await sweepOne(ctx, (tx) => change(tx, items))) return items.length
  if (items.length === 1) return 0
  let done = 0
  for (const item of items) {
    if (await sweepOne(ctx, (tx) => change(tx, [item]), SINGLE_LOCK_MS)) done++
  }
  return done
}
