import { and, count, eq, isNotNull, isNull, sql } from 'drizzle-orm'
import { scheduleItems } from '../../db/schema/index.ts'
import { UUID } from '../../util/ids.ts'
import type { Context, Tx } from '../context.ts'
import { AppError, invalid, notFound } from '../errors.ts'
import { transaction } from '../transaction.ts'
import type { ItemEvent } from './events.ts'
import { movedExceptions } from './exceptions.ts'
import { checkAttachments, readMetadata } from './metadata.ts'
import { lastStartOf } from './occurrences.ts'
import { readRule } from './recurrence.ts'
import { nextReminder } from './reminders.ts'
import type { Item, ItemStatus } from './rows.ts'
import { readTime, timezoneNamed } from './times.ts'

/** The fields of an item as its author writes them. */
export interface NewItem {
  title: string
  description?: string | null | undefined
  /** RFC 3339; without an offset it is a local time in the item's time zone. */
  startAt: string
  endAt?: string | null | undefined
  /** IANA name, UTC unless given. */
  timezone?: string | undefined
  metadata?: Record<string, unknown> | null | undefined
  /** RFC 5545, 3.3.10. */
  rrule?: string | null | undefined
  /** Starts of occurrences that are cancelled, written like `startAt`. */
  exceptions?: string[] | undefined
  reminderMinutes?: number | null | undefined
}

/** An absent field stays as it is. `metadata` and `exceptions` are replaced as a whole. */
export type ItemChange = { [K in keyof NewItem]?: NewItem[K] | undefined } & {
  status?: ItemStatus | undefined
}

/** Bounded because each list of a window reads every recurring item of its owner. */
const MAX_RECURRING = 200

/** @throws AppError VALIDATION_FAILED, INVALID_RANGE */
export const createItem = async (
  ctx: Context,
  userId: number,
  input: NewItem,
  sourceType: Item['sourceType'],
): Promise<Item> => insertItem(ctx, userId, await newItemValues(input), sourceType)

/**
 * Reads and computes the columns of a new item, before its transaction: the occurrences of a rule can take some time.
 * @throws AppError VALIDATION_FAILED, INVALID_RANGE
 */
export const newItemValues = (input: NewItem): Promise<ItemValues> => itemValues(input, undefined)

/** {@link createItem} after {@link newItemValues}. @throws AppError VALIDATION_FAILED */
export async function insertItem(
  ctx: Context,
  userId: number,
  values: ItemValues,
  sourceType: Item['sourceType'],
): Promise<Item> {
  return transaction(ctx, async (tx) => {
    await assertAllowed(tx, userId, values, undefined)
    const [item] = await tx.db
      .insert(scheduleItems)
      .values({ ...values, id: Bun.randomUUIDv7(), userId, sourceType })
      .returning()
    tx.emit(userId, 'schedule.created', eventData(item!))
    return item!
  })
}

/** @throws AppError NOT_FOUND, also for a deleted item and another user's */
export async function getItem(ctx: Context, userId: number, id: string): Promise<Item> {
  const [item] = await ctx.db.select().from(scheduleItems).where(isOwn(userId, id))
  if (!item) throw notFound('schedule_item', id)
  return item
}

/** @throws AppError NOT_FOUND, VALIDATION_FAILED, INVALID_RANGE */
export async function updateItem(
  ctx: Context,
  userId: number,
  id: string,
  change: ItemChange,
): Promise<Item> {
  for (;;) {
    const before = await getItem(ctx, userId, id)
    if (Object.values(change).every((value) => value === undefined)) return before
    const changed = await replaceItem(ctx, before, await itemValues(change, before))
    if (changed) return changed
  }
}

/** @returns undefined when the item has changed since it was read, which a reminder also does */
async function replaceItem(ctx: Context, before: Item, values: ItemValues): Promise<Item | undefined> {
  const { userId } = before
  return transaction(ctx, async (tx) => {
    if (!Bun.deepEquals(await lockItem(tx, userId, before.id), before)) return undefined
    await assertAllowed(tx, userId, values, before)
    const [item] = await tx.db
      .update(scheduleItems)
      .set({ ...values, revision: before.revision + 1, updatedAt: sql`now()` })
      .where(eq(scheduleItems.id, before.id))
      .returning()
    tx.emit(userId, 'schedule.updated', eventData(item!))
    return item!
  })
}

/**
 * Hides the item from its owner.
 * @throws AppError NOT_FOUND
 */
export async function deleteItem(ctx: Context, userId: number, id: string): Promise<void> {
  await transaction(ctx, async (tx) => {
    const item = await lockItem(tx, userId, id)
    await tx.db
      .update(scheduleItems)
      .set({ deletedAt: sql`now()`, updatedAt: sql`now()`, nextReminderAt: null })
      .where(eq(scheduleItems.id, item.id))
    tx.emit(userId, 'schedule.deleted', { itemId: item.id })
  })
}

const isOwn = (userId: number, id: string) =>
  UUID.test(id)
    ? and(
        eq(scheduleItems.id, id.toLowerCase()),
        eq(scheduleItems.userId, userId),
        isNull(scheduleItems.deletedAt),
      )
    : sql`false`

async function lockItem(tx: Tx, userId: number, id: string): Promise<Item> {
  const [item] = await tx.db.select().from(scheduleItems).where(isOwn(userId, id)).for('update')
  if (!item) throw notFound('schedule_item', id)
  return item
}

/** Reads a change and computes the columns that depend on each other. Absent fields keep their value of `before`. */
async function itemValues(input: ItemChange, before: Item | undefined) {
  const timezone = input.timezone === undefined ? (before?.timezone ?? 'UTC') : timezoneNamed(input.timezone)
  const startAt =
    input.startAt === undefined ? before!.startAt : readTime('start_at', input.startAt, timezone)
  const endAt =
    typeof input.endAt === 'string'
      ? readTime('end_at', input.endAt, timezone)
      : valueOr(input.endAt, before?.endAt)
  if (endAt && endAt < startAt) throw new AppError('INVALID_RANGE')
  const series = await seriesOf(startAt, timezone, valueOr(input.rrule, before?.rrule), before)
  const exceptions = input.exceptions?.map((text) => readTime('exceptions', text, timezone).toISOString())
  if (!series && exceptions && exceptions.length > 0) throw invalid('rrule', 'required')
  const lastStart = series ? series.lastStart : startAt
  const kept =
    series && before?.rrule
      ? await movedExceptions({ ...before, rrule: before.rrule }, { startAt, timezone, rrule: series.rrule })
      : []
  const values = {
    title: input.title ?? before!.title,
    description: valueOr(input.description, before?.description),
    startAt,
    endAt,
    timezone,
    metadata: input.metadata === undefined ? (before?.metadata ?? {}) : readMetadata(input.metadata ?? {}),
    status: input.status ?? before?.status ?? 'active',
    rrule: series?.rrule ?? null,
    exceptions: [...new Set(exceptions ?? kept)].sort(),
    lastsUntil: lastStart && new Date(lastStart.getTime() + (endAt ?? startAt).getTime() - startAt.getTime()),
    reminderMinutes: valueOr(input.reminderMinutes, before?.reminderMinutes),
  }
  return { ...values, nextReminderAt: await nextReminder(values, before) }
}

export type ItemValues = Awaited<ReturnType<typeof itemValues>>

/** A rule that was accepted is not checked again while it stays the same, even if its time zone has changed its rules. */
async function seriesOf(
  startAt: Date,
  timezone: string,
  rrule: string | null,
  before: Item | undefined,
): Promise<{ rrule: string; lastStart: Date | null } | undefined> {
  if (rrule === null) return undefined
  const same = rrule === before?.rrule && timezone === before.timezone && +startAt === +before.startAt
  return same ? { rrule, lastStart: lastStartOf(before) } : readRule({ startAt, timezone, rrule })
}

/** An absent field keeps its value. */
const valueOr = <T>(given: T | null | undefined, before: T | null | undefined): T | null =>
  given === undefined ? (before ?? null) : given

/** Checks what needs the database. */
async function assertAllowed(tx: Tx, userId: number, values: ItemValues, before: Item | undefined) {
  await checkAttachments(tx, userId, values.metadata, before?.metadata ?? {})
  if (values.rrule === null || before?.rrule) return
  const [row] = await tx.db
    .select({ recurring: count() })
    .from(scheduleItems)
    .where(
      and(eq(scheduleItems.userId, userId), isNull(scheduleItems.deletedAt), isNotNull(scheduleItems.rrule)),
    )
  if (row!.recurring >= MAX_RECURRING) throw invalid('rrule', 'max_items', { limit: MAX_RECURRING })
}

const eventData = (item: Item): ItemEvent => ({
  itemId: item.id,
  title: item.title,
  startAt: item.startAt,
  endAt: item.endAt,
  timezone: item.timezone,
  status: item.status,
  rrule: item.rrule,
})
