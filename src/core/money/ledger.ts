/** Costs of tasks, holds and balances: docs/design.md, "Money". */
import { eq, sql } from 'drizzle-orm'
import { prepared } from '../../db/prepared.ts'
import { ledgerAccounts, users } from '../../db/schema/index.ts'
import type { Tx } from '../context.ts'
import { AppError } from '../errors.ts'
import { toMajor } from './amounts.ts'
import { type Transfer, transfer, transferAll } from './transfers.ts'

/** The hold of a task without an estimate is for this long. */
const DEFAULT_ESTIMATE_MINUTES = 30

export const estimatedCost = (priceMinorPerMinute: number, estimatedMinutes: number | null): number =>
  priceMinorPerMinute * (estimatedMinutes ?? DEFAULT_ESTIMATE_MINUTES)

export const runningCost = (priceMinorPerMinute: number, ranMs: number): number =>
  Math.ceil((priceMinorPerMinute * ranMs) / 60_000)

/** A task in one of the tries of its owner. */
export interface TaskTry {
  uuid: string
  /** `tasks.submission` */
  submission: number
}
const keyOf = ({ uuid, submission }: TaskTry, step: 'hold' | 'capture' | 'release') =>
  `task:${uuid}:${submission}:${step}`

/** The transfer that holds the estimated cost of a task. */
export const holdFor = (task: TaskTry, amountMinor: number): Transfer => ({
  kind: 'hold',
  amountMinor,
  key: keyOf(task, 'hold'),
  reference: task.uuid,
})

/**
 * Holds a part of the balance.
 * @throws AppError INSUFFICIENT_BALANCE
 */
export async function hold(tx: Tx, userId: number, task: TaskTry, amountMinor: number): Promise<void> {
  if (amountMinor > 0) await transfer(tx, userId, holdFor(task, amountMinor))
}

/** Requests that change the user's number of tasks take turns by this lock. */
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
  task: TaskTry & { userId: number; heldMinor: number },
  costMinor: number,
): Promise<void> {
  const transfers: Transfer[] = [
    { kind: 'release', amountMinor: task.heldMinor - costMinor, key: keyOf(task, 'release') },
    { kind: 'capture', amountMinor: costMinor, key: keyOf(task, 'capture') },
  ]
  const needed = transfers.filter(({ amountMinor }) => amountMinor > 0)
  if (needed.length === 0) return
  await transferAll(
    tx,
    task.userId,
    needed.map((each) => ({ ...each, reference: task.uuid })),
  )
}

/**
 * Sets the balance by a transfer of the difference.
 * @returns the balance before
 * @throws AppError BALANCE_HELD when more than the new balance is held for unfinished tasks
 */
export async function adjustBalance(
  tx: Tx,
  input: { userId: number; balanceMinor: number; createdBy: number },
): Promise<number> {
  const accounts = await tx.db
    .select()
    .from(ledgerAccounts)
    .where(eq(ledgerAccounts.userId, input.userId))
    .orderBy(ledgerAccounts.kind)
    .for('no key update')
  const before = accounts.reduce((sum, { balanceMinor }) => sum + balanceMinor, 0)
  const heldMinor = accounts.find(({ kind }) => kind === 'held')?.balanceMinor ?? 0
  if (input.balanceMinor < heldMinor)
    throw new AppError('BALANCE_HELD', { params: { held: toMajor(heldMinor) } })
  const amountMinor = input.balanceMinor - before
  if (amountMinor !== 0) {
    await transfer(tx, input.userId, {
      kind: 'adjustment',
      amountMinor,
      key: `adjustment:${Bun.randomUUIDv7()}`,
      createdBy: input.createdBy,
    })
  }
  return before
}
