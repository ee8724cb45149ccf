/** The tasks of all users, for administrators. */
import { and, desc, eq, isNull, type SQL, sql } from 'drizzle-orm'
import { nodes, tasks, users } from '../../db/schema/index.ts'
import { readId, UUID } from '../../util/ids.ts'
import type { Context } from '../context.ts'
import { withFigures } from './progress.ts'
import type { Task } from './rows.ts'
import type { TaskStatus } from './states.ts'
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

/** `total` counts no further, because an exact count of all tasks would take longer than the page. */
const MAX_COUNTED = 10_000

/** The newest first. */
export async function listAllTasks(
  ctx: Context,
  filter: MonitorFilter,
): Promise<{ tasks: MonitoredTask[]; total: number }> {
  const { page, pageSize } = filter
  const where = conditionOf(filter)
  const some = ctx.db
    .select({ one: sql`1` })
    .from(tasks)
    .innerJoin(users, eq(users.id, tasks.userId))
    .leftJoin(nodes, eq(nodes.id, tasks.nodeId))
    .where(where)
    .limit(MAX_COUNTED)
  const [[counted], rows] = await Promise.all([
    ctx.db.execute<{ total: number }>(sql`select count(*)::int as total from (${some}) counted`),
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
      .limit(pageSize)
      .offset((page - 1) * pageSize),
  ])
  return {
    tasks: rows.map(({ task, nodeUuid, run, owner }) => ({
      ...withFigures(ctx, task, run),
      nodeUuid,
      owner,
    })),
    total: counted!.total,
  }
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
