import { inArray, sql } from 'drizzle-orm'
import { intArray } from '../../db/arrays.ts'
import { nodes, tasks } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { transaction } from '../transaction.ts'
import type { Task } from './rows.ts'

/** The free slots of one node. */
export interface Slot {
  nodeId: number
  /** The number of the node's socket. A node with a newer socket on another server gets its tasks there. */
  socket: number
  taskTypes: ReadonlySet<string>
  free: number
  /** The node let assignments expire. It gets a task that it has lost before only when no other node can run it. */
  probing: boolean
  /** UUIDs of tasks that the node refused a moment ago. */
  refused: ReadonlySet<string>
}

export interface LeasedTask {
  task: Task
  nodeId: number
}

type Candidate = {
  id: number
  uuid: string
  taskType: string
  priority: number
  lostBy: number[]
  /** A node lost the task, and another node that has not lost it is online. */
  hasOtherNode: boolean
  /** The same, and the task has not waited too long for that node. */
  waitsForOther: boolean
}

/** A task that a node lost waits for this time for another node, while one is online. Then any node may get it. */
const WAIT_FOR_OTHER_SECONDS = 60

/** A node lost the task, and another node that runs its type is online. */
const hasOtherNode = sql`(lost_by <> '[]' and exists (select 1 from nodes n where n.online and not n.draining
  and n.deleted_at is null and n.task_types ? task_type and not lost_by @> to_jsonb(n.id)))`
const waitsForOther = sql`(${hasOtherNode} and updated_at between now() - make_interval(secs => ${WAIT_FOR_OTHER_SECONDS}) and now())`

/**
 * Leases waiting tasks to nodes: highest priority first, then oldest, each to the node with the most free slots. A task that
 * was lost goes to a node that has not lost it, if there is one. Other servers lease at the same time, so rows that another
 * transaction holds are skipped.
 */
export async function leaseTasks(ctx: Context, slots: Slot[]): Promise<LeasedTask[]> {
  const types = [...new Set(slots.flatMap((slot) => [...slot.taskTypes]))]
  const wanted = types.map((type) => {
    const able = slots.filter(({ taskTypes }) => taskTypes.has(type))
    return {
      type,
      nodes: able.map(({ nodeId }) => nodeId),
      probing: able.every(({ probing }) => probing),
    }
  })
  // Refused tasks must not fill the window, because they would hide the tasks behind them.
  const window = slots.reduce((n, slot) => n + slot.free + slot.refused.size, 0)
  return transaction(ctx, async (tx) => {
    // `nulls last` as in the index, which otherwise has another order.
    const candidates = await tx.db.execute<Candidate>(sql`
      select c.* from json_to_recordset(${JSON.stringify(wanted)}::text::json) as wanted(type text, nodes jsonb, probing boolean)
      cross join lateral (
        select id, uuid, task_type as "taskType", priority, lost_by as "lostBy", ${hasOtherNode} as "hasOtherNode", ${waitsForOther} as "waitsForOther" from tasks
        where kind = 'gpu' and status = 'pending' and node_id is null and task_type = wanted.type
          and not (lost_by @> wanted.nodes and (${waitsForOther} or (wanted.probing and ${hasOtherNode})))
        order by priority desc nulls last, id limit ${window} for update skip locked
      ) c`)
    const matches = match([...candidates], slots)
    if (matches.size === 0) return []
    const sockets = new Map(slots.map(({ nodeId, socket }) => [nodeId, socket]))
    const counts = new Map<number, number>()
    const input = [...matches].map(([id, node]) => {
      const nth = (counts.get(node) ?? 0) + 1
      counts.set(node, nth)
      return { id, node, nth, socket: sockets.get(node) }
    })
    const matched = inArray(
      nodes.id,
      input.map(({ node }) => node),
    )
    // What this server knows of a node may be a moment old, so the statement checks the row of the node. From the JSON alone the
    // planner expects 100 rows, and would read all tasks while there are not many.
    const leased = await tx.db.execute<{ id: number }>(sql`
      update tasks t set node_id = m.node, attempt = t.attempt + 1, leased_at = now(), unplaceable_at = null,
        updated_at = now()
      from json_to_recordset(${JSON.stringify(input)}::text::json) as m(id int, node int, nth int, socket bigint)
      join (
        select nodes.*, (select count(*) from tasks held where held.node_id = nodes.id and held.status in ('pending', 'running')) as held
        from nodes where ${matched} for key share skip locked
      ) n on n.id = m.node and n.socket = m.socket and n.online and not n.draining and n.deleted_at is null
        and n.held + m.nth <= n.max_concurrent_tasks
      where t.id = m.id and t.id = any(${intArray(matches.keys())}) returning t.id`)
    if (leased.length === 0) return []
    const ids = leased.map((row) => row.id)
    const rows = await tx.db.select().from(tasks).where(inArray(tasks.id, ids))
    const order = [...matches.keys()]
    return rows
      .map((task) => ({ task, nodeId: task.nodeId! }))
      .sort((a, b) => order.indexOf(a.task.id) - order.indexOf(b.task.id))
  })
}

/** Task id → node id. */
function match(candidates: Candidate[], slots: Slot[]): Map<number, number> {
  const free = new Map(slots.map((slot) => [slot.nodeId, slot.free]))
  const room = (slot: Slot) => free.get(slot.nodeId)!
  const matches = new Map<number, number>()
  candidates.sort((a, b) => b.priority - a.priority || a.id - b.id)
  for (const task of candidates) {
    const fit = slots.filter(
      (slot) => room(slot) > 0 && slot.taskTypes.has(task.taskType) && !slot.refused.has(task.uuid),
    )
    const fresh = fit.filter((slot) => !task.lostBy.includes(slot.nodeId))
    const any = task.hasOtherNode ? fit.filter((slot) => !slot.probing) : fit
    const choice = fresh.length > 0 || task.waitsForOther ? fresh : any
    const [best] = choice.sort((a, b) => room(b) - room(a))
    if (!best) continue
    matches.set(task.id, best.nodeId)
    free.set(best.nodeId, room(best) - 1)
  }
  return matches
}
