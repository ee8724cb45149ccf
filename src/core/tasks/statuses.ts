import { isOneOfUuids } from '../../db/arrays.ts'
import { tasks } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import type { Task } from './rows.ts'

/** By UUID. A deleted task is absent. One query. */
export async function currentStatuses(
  { db }: Pick<Context, 'db'>,
  uuids: string[],
): Promise<Map<string, Pick<Task, 'status'>>> {
  const rows = await db
    .select({ uuid: tasks.uuid, status: tasks.status })
    .from(tasks)
    .where(isOneOfUuids(tasks.uuid, uuids))
  return new Map(rows.map(({ uuid, status }) => [uuid, { status }]))
}
