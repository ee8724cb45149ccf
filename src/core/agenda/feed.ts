import { and, desc, eq, gte, isNull, or } from 'drizzle-orm'
import { calendarFeeds, scheduleItems, users } from '../../db/schema/index.ts'
import { randomSecret, sha256 } from '../../util/secrets.ts'
import type { Actor } from '../accounts/principals.ts'
import { audit } from '../audit/audit.ts'
import type { Context } from '../context.ts'
import { AppError } from '../errors.ts'
import { transaction } from '../transaction.ts'
import type { Item } from './rows.ts'

/** The calendar shows the items of the last year and of the future; of more than MAX_ITEMS, those that begin last. */
const PAST_MS = 366 * 86_400_000
const MAX_ITEMS = 1000

/**
 * Gives a user's calendar a private address. An earlier address stops working at once.
 * @returns the only copy of its token
 */
export async function openFeed(ctx: Context, who: Actor): Promise<{ token: string; createdAt: Date }> {
  const token = randomSecret('cal')
  const values = { tokenHash: sha256(token), createdAt: new Date() }
  const { userId } = who
  await transaction(ctx, async (tx) => {
    await tx.db
      .insert(calendarFeeds)
      .values({ userId, ...values })
      .onConflictDoUpdate({ target: calendarFeeds.userId, set: values })
    audit(tx, who, { action: 'calendar_feed.created', target: userId, subject: userId })
  })
  return { token, createdAt: values.createdAt }
}

/** When the calendar got its current address; undefined: it has none. */
export async function feedSince(ctx: Context, userId: number): Promise<Date | undefined> {
  const [feed] = await ctx.db.select().from(calendarFeeds).where(eq(calendarFeeds.userId, userId))
  return feed?.createdAt
}

/** Removes the address of the calendar, so that no client can read it. */
export async function closeFeed(ctx: Context, who: Actor): Promise<void> {
  const { userId } = who
  await transaction(ctx, async (tx) => {
    await tx.db.delete(calendarFeeds).where(eq(calendarFeeds.userId, userId))
    audit(tx, who, { action: 'calendar_feed.deleted', target: userId, subject: userId })
  })
}

/**
 * The items of the calendar with this token, from a year ago on.
 * @throws AppError NOT_FOUND
 */
export async function readFeed(ctx: Context, token: string): Promise<Item[]> {
  const [owner] = await ctx.db
    .select({ id: users.id })
    .from(calendarFeeds)
    .innerJoin(users, eq(users.id, calendarFeeds.userId))
    .where(and(eq(calendarFeeds.tokenHash, sha256(token)), eq(users.isActive, true)))
  if (!owner) throw new AppError('NOT_FOUND', { params: { resource: 'calendar_feed' } })
  const since = new Date(Date.now() - PAST_MS)
  return ctx.db
    .select()
    .from(scheduleItems)
    .where(
      and(
        eq(scheduleItems.userId, owner.id),
        isNull(scheduleItems.deletedAt),
        or(isNull(scheduleItems.lastsUntil), gte(scheduleItems.lastsUntil, since)),
      ),
    )
    .orderBy(desc(scheduleItems.startAt), desc(scheduleItems.id))
    .limit(MAX_ITEMS)
}
