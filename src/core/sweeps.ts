/**
 * Sweeps change rows of many users at once, and no request waits for them. A sweep must not wait long for a locked row:
 * a server that vanished in the middle of a transaction holds its locks for seconds.
 */
import { isLocked } from '../db/errors.ts'
import type { Context, Tx } from './context.ts'
import { transaction } from './transaction.ts'

/** How long a sweep waits for a lock. An ordinary transaction holds one for less. */
export const LOCK_MS = 300
/** How long it waits in the second round, which takes one item after the other. */
const SINGLE_LOCK_MS = 50

/** @returns undefined when another transaction holds a row that `change` needs; the next sweep tries again */
export async function unlessLocked<T>(change: () => Promise<T>): Promise<{ result: T } | undefined> {
  try {
    return { result: await change() }
  } catch (error) {
    if (isLocked(error)) return undefined
    throw error
  }
}

/** Runs `change` in a transaction, unless a row that it needs is locked. */
export const sweepOne = <T>(
  ctx: Context,
  change: (tx: Tx) => Promise<T>,
  lockMs = LOCK_MS,
): Promise<{ result: T } | undefined> => unlessLocked(() => transaction(ctx, change, { lockMs }))

/**
 * Runs `change` on all items in one transaction. When another transaction holds a row that it needs, it runs on each item
 * in a transaction of its own, so that a locked row holds up its own item only.
 * @returns how many items were changed; the next sweep finds the others
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
