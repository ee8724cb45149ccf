import { and, eq, gt, isNotNull, sql } from 'drizzle-orm'
import {
  calendarFeeds,
  channels,
  courseProgress,
  courses,
  events,
  idempotencyKeys,
  invitations,
  inviteCodes,
  passwordResets,
  rechargeCodes,
  scheduleItems,
  sessions,
  studySettings,
  timelineEvents,
  users,
  webhooks,
} from '../../db/schema/index.ts'
import { deleteConversationsOf } from '../agent/of-user.ts'
import type { Context } from '../context.ts'
import { deleteUploadsOf } from '../files/of-user.ts'
import { deleteLikesOf, deleteMaterialsOf } from '../materials/of-user.ts'
import { deleteFilesOf } from '../photo-files/of-user.ts'
import { deletePhotosOf } from '../photos/of-user.ts'
import { deleteTasksOf } from '../tasks/of-user.ts'

/** Each deletes some of what a user has, and returns how many. They run one after the other, each until nothing is left. */
const STEPS: ((ctx: Context, userId: number) => Promise<number>)[] = [
  // Webhooks of a deleted user are sent nothing. Without this, events of the other steps would still make deliveries for them.
  async (ctx, userId) => {
    await ctx.db.update(channels).set({ hooks: null }).where(eq(channels.userId, userId))
    return 0
  },
  deleteTasksOf,
  deleteConversationsOf,
  deletePhotosOf,
  deleteFilesOf,
  deleteUploadsOf,
  deleteLikesOf,
  deleteMaterialsOf,
  ...[
    scheduleItems,
    calendarFeeds,
    webhooks,
    invitations,
    passwordResets,
    studySettings,
    courseProgress,
    idempotencyKeys,
    sessions,
  ].map(someRowsOf),
  // What these say stays, and no longer names the user.
  async (ctx, userId) => {
    await ctx.db.update(timelineEvents).set({ userId: null }).where(eq(timelineEvents.userId, userId))
    await ctx.db.update(inviteCodes).set({ createdBy: null }).where(eq(inviteCodes.createdBy, userId))
    await ctx.db.update(courses).set({ createdBy: null }).where(eq(courses.createdBy, userId))
    await ctx.db.update(rechargeCodes).set({ createdBy: null }).where(eq(rechargeCodes.createdBy, userId))
    return 0
  },
  // The channel last, because the other steps may add to it.
  someRowsOf(events),
  someRowsOf(channels),
]

type OwnTable =
  | typeof calendarFeeds
  | typeof channels
  | typeof courseProgress
  | typeof events
  | typeof idempotencyKeys
  | typeof invitations
  | typeof passwordResets
  | typeof scheduleItems
  | typeof sessions
  | typeof studySettings
  | typeof webhooks

const BATCH = 1000

/** Deletes rows of a table whose deletion needs nothing else. */
function someRowsOf(table: OwnTable): (ctx: Context, userId: number) => Promise<number> {
  return async ({ db }, userId) => {
    const deleted = await db.execute(
      sql`delete from ${table} where ctid in (select ctid from ${table} where user_id = ${userId} limit ${BATCH}) returning 1`,
    )
    return deleted.length
  }
}

/** Deletes everything that a deleted user has left. It may run several times, and on several servers at once. */
export async function purgeUser(ctx: Context, userId: number, signal?: AbortSignal): Promise<void> {
  for (const step of STEPS) {
    do signal?.throwIfAborted()
    while ((await step(ctx, userId)) > 0)
  }
}

/**
 * Finds what was added to the users who were deleted in the last two days by requests that had begun before, such as an event
 * of a task that a node ended at the same moment.
 * @throws the first error, after all users had their turn
 */
export async function purgeRecent(ctx: Context): Promise<number> {
  const since = sql`now() - interval '2 days'`
  const recent = await ctx.db
    .select({ id: users.id })
    .from(users)
    .where(and(isNotNull(users.deletedAt), gt(users.deletedAt, since)))
    .orderBy(users.deletedAt)
  let failed: unknown
  for (const { id } of recent) {
    try {
      await purgeUser(ctx, id)
    } catch (error) {
      // The other users must not wait for this one. The next run tries again.
      ctx.log.warn({ err: error, userId: id }, 'the remains of a deleted user could not be deleted')
      failed ??= error
    }
  }
  if (failed) throw failed
  return recent.length
}
