import { and, eq, exists, inArray, isNull } from 'drizzle-orm'
import { nodes, tasks } from '../../db/schema/index.ts'
import type { Core } from '../context.ts'
import { heldTasks, loseAttempts } from '../tasks/attempts.ts'
import { failure } from '../tasks/failures.ts'
import { transaction } from '../transaction.ts'
import type { Node } from './nodes.ts'

/** Of these nodes those that hold tasks. */
export async function thatHoldTasks(ctx: Core, candidates: Node[]): Promise<Node[]> {
  if (candidates.length === 0) return []
  const ids = candidates.map(({ id }) => id)
  const held = ctx.db
    .select({ id: tasks.id })
    .from(tasks)
    .where(and(eq(tasks.nodeId, nodes.id), inArray(tasks.status, ['pending', 'running'])))
  const rows = await ctx.db
    .select({ id: nodes.id })
    .from(nodes)
    .where(and(inArray(nodes.id, ids), exists(held)))
  const holding = new Set(rows.map(({ id }) => id))
  return candidates.filter(({ id }) => holding.has(id))
}

/** @returns whether its tasks were lost: no server has heard it over a socket since this row was read */
export async function loseUnheld(ctx: Core, node: Node): Promise<boolean> {
  return transaction(ctx, async (tx) => {
    // A `hello` waits for this lock, or has stored that the node is heard.
    const { id, socketHeardAt: heard } = node
    const still = heard ? eq(nodes.socketHeardAt, heard) : isNull(nodes.socketHeardAt)
    const [row] = await tx.db
      .select({ id: nodes.id })
      .from(nodes)
      .where(and(eq(nodes.id, id), still))
      .for('no key update')
    if (!row) return false
    const held = await heldTasks(tx, id)
    await loseAttempts(tx, held, failure('node_disconnected', { name: node.name }))
    return held.length > 0
  })
}
