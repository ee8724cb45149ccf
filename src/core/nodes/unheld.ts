import { and, eq, exists, inArray, isNull, not, or } from 'drizzle-orm'
import { nodes, tasks } from '../../db/schema/index.ts'
import type { Context } from '../context.ts'
import { sweepAll } from '../sweeps.ts'
import { failure } from '../tasks/failures.ts'
import { heldTasks, loseAttempts } from '../tasks/lost-attempts.ts'
import type { Node } from './rows.ts'

/**
 * Finds the candidates that hold tasks, and all offline nodes that still hold tasks, because another transaction held the
 * rows of their tasks when they went offline.
 */
export async function nodesWithTasks(ctx: Context, candidates: Node[]): Promise<Node[]> {
  const seen = new Map(candidates.map((node) => [node.id, node]))
  const offline = and(not(nodes.online), isNull(nodes.deletedAt))
  const held = ctx.db
    .select({ id: tasks.id })
    .from(tasks)
    .where(and(eq(tasks.nodeId, nodes.id), inArray(tasks.status, ['pending', 'running'])))
  const rows = await ctx.db
    .select()
    .from(nodes)
    .where(and(or(inArray(nodes.id, [...seen.keys()]), offline), exists(held)))
  return rows.flatMap((row) => seen.get(row.id) ?? (row.online ? [] : [row]))
}

/**
 * @returns whether the node lost its tasks: it does not when a server has heard it over a socket since this row was read
 */
export async function loseUnheld(ctx: Context, node: Node): Promise<boolean> {
  const { id, socketHeardAt: heard } = node
  const sameHeartbeat = heard ? eq(nodes.socketHeardAt, heard) : isNull(nodes.socketHeardAt)
  const why = failure(node.online ? 'node_disconnected' : 'node_offline', { name: node.name })
  const done = await sweepAll(ctx, await heldTasks(ctx, id), async (tx, some) => {
    // A `hello` either waits for this lock or has stored already that the node was heard.
    const [row] = await tx.db
      .select({ id: nodes.id })
      .from(nodes)
      .where(and(eq(nodes.id, id), sameHeartbeat))
      .for('no key update')
    if (row) await loseAttempts(tx, some, why)
  })
  return done > 0
}
