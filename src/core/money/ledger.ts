/** Balances in minor units, an append-only ledger, and a hold for each unfinished task: docs/contracts/factory.md, "Money". */
import { eq, sql } from 'drizzle-orm'
import { prepared } from '../../db/prepared.ts'
import { ledgerEntries, users } from '../../db/schema/index.ts'
import type { Tx } from '../context.ts'
import { AppError } from '../errors.ts'

/** The hold of a task without an estimate is for this long. */
const DEFAULT_ESTIMATE_MINUTES = 30

export const estimatedCost = (priceMinorPerMinute: number, estimatedMinutes: number | null): number =>
  priceMinorPerMinute * (estimatedMinutes ?? DEFAULT_ESTIMATE_MINUTES)

export const runningCost = (priceMinorPerMinute: number, ranMs: number): number =>
  Math.ceil((priceMinorPerMinute * ranMs) / 60_000)

/**
 * Holds a part of the balance.
 * @throws AppError INSUFFICIENT_BALANCE
 */
export async function hold(tx: Tx, userId: number, amountMinor: number): Promise<void> {
  if (amountMinor === 0) return
  const held = await tx.db
    .update(users)
    .set({ heldMinor: sql`${users.heldMinor} + ${amountMinor}` })
    .where(sql`${users.id} = ${userId} and ${users.balanceMinor} - ${users.heldMinor} >= ${amountMinor}`)
    .returning({ id: users.id })
  if (held.length === 0) throw new AppError('INSUFFICIENT_BALANCE')
}

/** Requests that change the user's holds or number of tasks take turns by this lock. */
export async function lockUser(tx: Tx, userId: number): Promise<void> {
  await lockUserById(tx.db).execute({ userId })
}

const lockUserById = prepared((db) =>
  db
    .select({ id: users.id })
    .from(users)
    .where(eq(users.id, sql.placeholder('userId')))
    .for('no key update')
    .prepare('lock_user'),
)

/** Ends a hold and captures `costMinor` of it. The caller makes sure that the cost is not more than the hold. */
export async function endHold(
  tx: Tx,
  input: { userId: number; heldMinor: number; costMinor: number; taskUuid: string },
): Promise<void> {
  if (input.heldMinor === 0) return
  await tx.db
    .update(users)
    .set({ heldMinor: sql`${users.heldMinor} - ${input.heldMinor}` })
    .where(eq(users.id, input.userId))
  if (input.costMinor > 0) {
    await postEntry(tx, {
      userId: input.userId,
      kind: 'capture',
      amountMinor: -input.costMinor,
      reference: input.taskUuid,
    })
  }
}

/** Sets the balance with an adjusting entry of the difference. */
export async function adjustBalance(
  tx: Tx,
  input: { userId: number; balanceMinor: number; createdBy: number },
): Promise<void> {
  const [user] = await tx.db
    .select({ balanceMinor: users.balanceMinor })
    .from(users)
    .where(eq(users.id, input.userId))
    .for('update')
  const amountMinor = input.balanceMinor - (user?.balanceMinor ?? 0)
  if (amountMinor === 0) return
  await postEntry(tx, { userId: input.userId, kind: 'adjustment', amountMinor, createdBy: input.createdBy })
}

async function postEntry(tx: Tx, entry: typeof ledgerEntries.$inferInsert): Promise<void> {
  await tx.db.insert(ledgerEntries).values(entry)
  const [user] = await tx.db
    .update(users)
    .set({ balanceMinor: sql`${users.balanceMinor} + ${entry.amountMinor}` })
    .where(eq(users.id, entry.userId))
    .returning({ balance: users.balanceMinor, held: users.heldMinor })
  if (!user) return
  tx.emit(entry.userId, 'balance.changed', {
    balanceMinor: user.balance,
    availableMinor: user.balance - user.held,
    reason: entry.kind,
  })
}

/** Minor units to the JSON number with two decimals that contracts show. */
export const toMajor = (minor: number): number => minor / 100
/** A JSON number to minor units, rounded to the nearest one. */
export const toMinor = (major: number): number => Math.round(major * 100)
