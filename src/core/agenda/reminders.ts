import { and, asc, inArray, lte, type SQL, sql } from 'drizzle-orm'
import { scheduleItems } from '../../db/schema/index.ts'
import { OverBudget, Slices } from '../../util/slices.ts'
import type { Context, Tx } from '../context.ts'
import { invalid } from '../errors.ts'
import { sweepAll } from '../sweeps.ts'
import { endOf, itemStartsFrom } from './occurrences.ts'
import type { Item } from './rows.ts'

const MINUTE_MS = 60_000
/** A late reminder is still sent when the item began at most this long ago. */
const LATE_MS = 5 * MINUTE_MS
const BATCH = 100
/** In ms, for computing the next occurrence of an item; the most expensive rules take a tenth of it. */
const BUDGET_MS = 1000

type Reminding = Pick<
  Item,
  'startAt' | 'endAt' | 'timezone' | 'rrule' | 'exceptions' | 'lastsUntil' | 'status' | 'reminderMinutes'
>

/** The fields that decide when reminders are due. A change of any other field must not send a reminder again. */
const SCHEDULE = ['startAt', 'timezone', 'rrule', 'exceptions', 'status', 'reminderMinutes'] as const

/**
 * When the next reminder of a new item, or of one that was changed from `before`, is due; null: never.
 * @throws AppError VALIDATION_FAILED when its rule takes too long
 */
export async function nextReminder(item: Reminding, before: Item | undefined): Promise<Date | null> {
  const unchanged = before && SCHEDULE.every((name) => Bun.deepEquals(item[name], before[name]))
  if (unchanged) return before.nextReminderAt
  const remindedFor = before?.remindedFor?.getTime()
  try {
    return await reminderBefore(item, new Date(), (start) => start.getTime() !== remindedFor)
  } catch (error) {
    throw error instanceof OverBudget ? invalid('rrule', 'recurrence') : error
  }
}

/** When the reminder is due of the first occurrence at `from` or later for which `counts` is true; null: never. */
async function reminderBefore(
  item: Reminding,
  from: Date,
  counts: (start: Date) => boolean,
): Promise<Date | null> {
  if (item.reminderMinutes === null || item.status !== 'active') return null
  for await (const start of itemStartsFrom(item, from, new Slices(BUDGET_MS))) {
    if (counts(start)) return new Date(start.getTime() - item.reminderMinutes * MINUTE_MS)
  }
  return null
}

/**
 * Sends the reminders that are due. Each occurrence gets one, also when several servers send at once or are killed,
 * because the event commits together with the step to the next occurrence. An occurrence gets none when it began while
 * no server was running.
 * @returns how many were sent; undefined: none
 */
export async function sendReminders(ctx: Context, now = new Date()): Promise<number | undefined> {
  const due = lte(scheduleItems.nextReminderAt, now)
  let sent = 0
  for (;;) {
    const found = await ctx.db
      .select({ id: scheduleItems.id })
      .from(scheduleItems)
      .where(due)
      .orderBy(asc(scheduleItems.nextReminderAt))
      .limit(BATCH)
    let taken = 0
    await sweepAll(ctx, found, async (tx, some) => {
      const ids = some.map(({ id }) => id)
      const batch = await sendBatch(tx, now, and(due, inArray(scheduleItems.id, ids)))
      tx.afterCommit(() => {
        taken += batch.taken
        sent += batch.sent
      })
    })
    if (taken === 0) return sent || undefined
  }
}

async function sendBatch(
  tx: Tx,
  now: Date,
  which: SQL | undefined,
): Promise<{ taken: number; sent: number }> {
  const due = await tx.db
    .select()
    .from(scheduleItems)
    .where(which)
    .orderBy(asc(scheduleItems.nextReminderAt))
    .for('update', { skipLocked: true })
  if (due.length === 0) return { taken: 0, sent: 0 }
  const earliest = new Date(now.getTime() - LATE_MS)
  let sent = 0
  const steps: { id: string; next: Date | null; remindedFor: Date | null }[] = []
  for (const item of due) {
    const start = new Date(item.nextReminderAt!.getTime() + item.reminderMinutes! * MINUTE_MS)
    if (start >= earliest) {
      remind(tx, item, start)
      sent++
    }
    const next = await reminderAfter(tx, item, start, earliest)
    steps.push({ id: item.id, next, remindedFor: start >= earliest ? start : item.remindedFor })
  }
  await tx.db.execute(sql`
    update schedule_items s set next_reminder_at = x.next, reminded_for = x."remindedFor"
    from json_to_recordset(${JSON.stringify(steps)}::text::json) as x(id uuid, next timestamptz, "remindedFor" timestamptz)
    where s.id = x.id`)
  return { taken: due.length, sent }
}

/** An item whose occurrences cannot be computed (its time zone was abolished, for example) must not block other reminders. */
async function reminderAfter(tx: Tx, item: Item, start: Date, earliest: Date): Promise<Date | null> {
  try {
    return await reminderBefore(item, earliest, (later) => later > start)
  } catch (error) {
    tx.log.error(
      { err: error, item: item.id },
      'an item gets no more reminders: its occurrences cannot be computed',
    )
    return null
  }
}

function remind(tx: Tx, item: Item, start: Date): void {
  tx.emit(item.userId, 'schedule.reminder', {
    itemId: item.id,
    title: item.title,
    startAt: start,
    endAt: endOf(item, start),
    timezone: item.timezone,
    reminderMinutes: item.reminderMinutes!,
  })
}
