/** The tasks of all users, for administrators. */
import { and, desc, eq, gt, isNull, max, type SQL, sql } from 'drizzle-orm'
import { countWithin, pageWithin } from '../../db/bounded-list.ts'
import { nodes, tasks, users } from '../../db/schema/index.ts'
import { readId, UUID } from '../../util/ids.ts'
import type { Context } from '../context.ts'
import { withFigures } from './progress.ts'
import type { Task } from './rows.ts'
import { type TaskStatus, UNFINISHED } from './states.ts'
import { storedRun } from './study-runs.ts'
import type { TaskView } from './tasks.ts'

export interface MonitoredTask extends TaskView {
  owner: { id: number; uuid: string; username: string; email: string }
}

export interface MonitorFilter {
  page: number
  pageSize: number
  status?: TaskStatus | undefined
  kind?: Task['kind'] | undefined
  taskType?: string | undefined
  /** Id or UUID of the owner. */
  userId?: string | undefined
  /** UUID of the node that has the task, or that had it when it ended. */
  nodeUuid?: string | undefined
}

/** A filter that no index serves looks at the tasks with so many of the newest ids. There may be many times as many. */
const MAX_SEARCHED = 1_000_000

/** The newest first. */
export async function listAllTasks(
  ctx: Context,
  filter: MonitorFilter,
): Promise<{ tasks: MonitoredTask[]; total: number }> {
  const where = and(conditionOf(filter), await newestOf(ctx, filter))
  const { offset, limit } = pageWithin(filter)
  const some = ctx.db
    .select({ one: sql`1` })
    .from(tasks)
    .innerJoin(users, eq(users.id, tasks.userId))
    .leftJoin(nodes, eq(nodes.id, tasks.nodeId))
    .where(where)
  const [total, rows] = await Promise.all([
    countWithin(ctx.db, some),
    ctx.db
      .select({
        task: tasks,
        nodeUuid: nodes.uuid,
        run: storedRun,
        owner: { id: users.id, uuid: users.uuid, username: users.username, email: users.email },
      })
      .from(tasks)
      .innerJoin(users, eq(users.id, tasks.userId))
      .leftJoin(nodes, eq(nodes.id, tasks.nodeId))
      .where(where)
      .orderBy(desc(tasks.id))
      .limit(limit)
      .offset(offset),
  ])
  return {
    tasks: rows.map(({ task, nodeUuid, run, owner }) => ({
      ...withFigures(ctx, task, run),
      nodeUuid,
      owner,
    })),
    total,
  }
}

/** Undefined when an index finds the tasks, or when every task fits. */
async function newestOf({ db }: Context, filter: MonitorFilter): Promise<SQL | undefined> {
  const { status, kind, taskType, userId, nodeUuid } = filter
  if (userId !== undefined || UNFINISHED.some((one) => one === status)) return undefined
  if ([status, kind, taskType, nodeUuid].every((one) => one === undefined)) return undefined
  // A value of its own, because the planner would take a third of all tasks for newer than the result of a subquery.
  const [newest] = await db.select({ id: max(tasks.id) }).from(tasks)
  return gt(tasks.id, (newest!.id ?? 0) - MAX_SEARCHED)
}

const conditionOf = ({ status, kind, taskType, userId, nodeUuid }: MonitorFilter): SQL | undefined =>
  and(
    // The tasks of a deleted user exist for nobody, although a job has yet to delete them.
    isNull(users.deletedAt),
    status && eq(tasks.status, status),
    kind && eq(tasks.kind, kind),
    taskType === undefined ? undefined : eq(tasks.taskType, taskType),
    userId === undefined ? undefined : isOwner(userId),
    nodeUuid === undefined ? undefined : UUID.test(nodeUuid) ? eq(nodes.uuid, nodeUuid) : sql`false`,
  )

function isOwner(id: string): SQL {
  const key = readId(id)
  if (key === undefined) return sql`false`
  return typeof key === 'number' ? eq(tasks.userId, key) : eq(users.uuid, key)
}
