/** GPU tasks that wait for a type that no node offers: docs/contracts/factory.md, "Tasks". */
import { inArray, type SQL, sql } from 'drizzle-orm'
import { tasks } from '../../db/schema/index.ts'
import { ownerExists } from '../accounts/owners.ts'
import type { Context } from '../context.ts'
import { sweepOne } from '../sweeps.ts'
import { taskEvent } from './events.ts'
import type { Task } from './rows.ts'

/** What a waiting task lacks: no node that takes tasks offers its type. */
export interface WaitingFor {
  taskType: string
  /** The types that nodes offer, in order. */
  availableTypes: string[]
}

/** Answers and events stay small; a node may offer 100 types. */
const MAX_SHOWN_TYPES = 100

/** Whether node `n` takes tasks. */
const takesTasks = sql`n.online and not n.draining and n.deleted_at is null`
const isOffered = (type: SQL) =>
  sql`exists (select from nodes n where ${takesTasks} and n.task_types ? ${type})`
const offeredTypes = sql`select distinct type from nodes n cross join lateral jsonb_array_elements_text(n.task_types) type
  where ${takesTasks}`
const shownTypes = sql<string[]>`(select coalesce(json_agg(type order by type), '[]')
  from (${offeredTypes} order by type limit ${sql.raw(`${MAX_SHOWN_TYPES}`)}) offered)`

/** The types that nodes offer; null when one of them offers `type`, or when it is null. */
export const typesInstead = (type: SQL): SQL<string[] | null> =>
  sql<string[] | null>`case when ${type} is not null and not ${isOffered(type)} then ${shownTypes} end`

/** @param instead of `typesInstead` */
export const waitingFor = (
  { taskType, status, nodeId }: Pick<Task, 'taskType' | 'status' | 'nodeId'>,
  instead: string[] | null,
): WaitingFor | null =>
  taskType !== null && instead !== null && status === 'pending' && nodeId === null
    ? { taskType, availableTypes: instead }
    : null

/** The condition of the index `tasks_untold_idx`. */
const untold = sql`status = 'pending' and node_id is null and kind = 'gpu' and unplaceable_at is null`

/**
 * The types of the waiting tasks whose owners do not know that no node offers the type. It reads one entry of the index for each
 * type, however many tasks wait.
 */
export async function unofferedTypes(ctx: Context): Promise<string[]> {
  const rows = await ctx.db.execute<{ type: string }>(sql`
    with recursive waiting as (
      (select task_type as type from tasks where ${untold} order by task_type limit 1)
      union all
      select (select task_type from tasks where ${untold} and task_type > w.type order by task_type limit 1)
      from waiting w where w.type is not null
    )
    select type from waiting where type is not null and not ${isOffered(sql`type`)}`)
  return rows.map(({ type }) => type)
}

const BATCH = 500

/** Tells the owners of waiting tasks of these types, of each task once, whichever server is the first. */
export async function tellUnplaceable(ctx: Context, types: readonly string[]): Promise<void> {
  const tell = () =>
    sweepOne(ctx, async (tx) => {
      const told = await tx.db
        .update(tasks)
        .set({ unplaceableAt: sql`now()` })
        .where(
          inArray(
            tasks.id,
            sql`(select id from tasks where ${untold}
              and task_type in (select json_array_elements_text(${JSON.stringify(types)}::text::json))
              and not ${isOffered(sql`task_type`)} and ${ownerExists(tasks.userId)}
              limit ${BATCH} for update skip locked)`,
          ),
        )
        .returning()
      if (told.length === 0) return 0
      const [offered] = await tx.db.execute<{ types: string[] }>(sql`select ${shownTypes} as types`)
      for (const task of told.sort((a, b) => a.id - b.id)) {
        const lack = { taskType: task.taskType!, availableTypes: offered!.types }
        tx.emit(task.userId, 'task.unplaceable', { ...taskEvent(task), ...lack })
      }
      return told.length
    })
  while ((await tell())?.result === BATCH);
}

/** Forgets that owners were told, where a node offers the type now: they are told again when it is gone again. */
export async function forgetPlaceable(ctx: Context): Promise<void> {
  const forget = () =>
    ctx.db.execute(sql`
      update tasks set unplaceable_at = null where id in (
        select id from tasks where unplaceable_at is not null and task_type in (${offeredTypes})
        limit ${BATCH} for update skip locked)
      returning id`)
  while ((await forget()).length === BATCH);
}
