/** The figures of the whole system: docs/contracts/factory.md, "Administration". */
import { sql } from 'drizzle-orm'
import type { Context } from '../context.ts'
import { TASK_STATUSES, type TaskStatus } from '../tasks/states.ts'
import { readerOfCounts, sumOfCounts } from './counts.ts'

export interface SystemFigures {
  users: { total: number; active: number }
  /** `name`: kind and status. */
  tasks: { name: string; n: number }[]
  nodes: { total: number; online: number }
  courses: number
  /** What users have paid for tasks. */
  revenueMinor: number
}
export type TaskKind = 'gpu' | 'study'

/** Tasks that have not ended are not in the counts. The literals let the planner use the index of these tasks. */
const UNFINISHED_TASKS = sql`(
  select 'task' as kind, 0 as id, t.kind || ' ' || t.status as name, count(*)::float8 as n, 0::float8 as total
  from tasks t where t.status in ('pending', 'running', 'paused') group by t.kind, t.status
)`
const NODES = sql`(
  select 'node' as kind, 0 as id, case when n.online then 'online' else 'offline' end as name, count(*)::float8 as n, 0::float8 as total
  from nodes n where n.deleted_at is null group by n.online
)`
const COURSES = sql`(
  select 'course' as kind, 0 as id, '' as name, count(*)::float8 as n, 0::float8 as total from courses
)`

const readCounts = readerOfCounts(
  'system_counts',
  ['user', 'task', 'revenue'],
  [UNFINISHED_TASKS, NODES, COURSES],
)

/** As of now, without counting the rows of large tables. */
export async function systemFigures(ctx: Context): Promise<SystemFigures> {
  const counts = await readCounts(ctx)
  const sum = (kind: string, name?: string) =>
    sumOfCounts(counts.filter((one) => one.kind === kind && (name === undefined || one.name === name)))
  return {
    users: { total: sum('user').n, active: sum('user', 'active').n },
    tasks: counts.filter(({ kind }) => kind === 'task').map(({ name, n }) => ({ name, n })),
    nodes: { total: sum('node').n, online: sum('node', 'online').n },
    courses: sum('course').n,
    revenueMinor: sum('revenue').total,
  }
}

/** The numbers of tasks, or of those of one kind, by status and together. */
export function tasksOf({ tasks }: SystemFigures, kind?: TaskKind): Record<TaskStatus | 'total', number> {
  const found = tasks.filter(({ name }) => kind === undefined || name.startsWith(`${kind} `))
  const add = (some: SystemFigures['tasks']) => some.reduce((sum, { n }) => sum + n, 0)
  const numbers = TASK_STATUSES.map((status) => [
    status,
    add(found.filter(({ name }) => name.endsWith(` ${status}`))),
  ])
  return { ...Object.fromEntries(numbers), total: add(found) }
}
