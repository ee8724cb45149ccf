import { and, eq, exists, inArray, isNull, type SQL, sql } from 'drizzle-orm'
import { nodes, tasks } from '../../db/schema/index.ts'
import type { Core } from '../context.ts'
import { heldTasks, loseAttempts } from '../tasks/attempts.ts'
import { failure } from '../tasks/failures.ts'
import { transaction } from '../transaction.ts'
import type { Node } from './nodes.ts'

/** Rows of before sockets were told apart have no time of their own. */
const silent = (ms: number): SQL =>
  sql`coalesce(${nodes.socketHeardAt}, ${nodes.lastHeartbeatAt}) < now() - make_interval(secs => ${ms / 1000})`

/** Nodes that count as online, hold tasks, and were not heard over a socket for so long, by the database's clock. */
export function nodesWithoutSocket(ctx: Core, ms: number): Promise<Node[]> {
  const held = ctx.db
    .select({ id: tasks.id })
    .from(tasks)
    .where(and(eq(tasks.nodeId, nodes.id), inArray(tasks.status, ['pending', 'running'])))
  return ctx.db
    .select()
    .from(nodes)
    .where(and(eq(nodes.online, true), isNull(nodes.deletedAt), silent(ms), exists(held)))
}

/** @returns whether they were lost: the node has not come back meanwhile */
export async function loseUnheld(ctx: Core, node: Node, ms: number): Promise<boolean> {
  return transaction(ctx, async (tx) => {
    // A `hello` waits for this lock, or has stored that the node is heard.
    const still = and(eq(nodes.id, node.id), silent(ms))
    const [row] = await tx.db.select({ id: nodes.id }).from(nodes).where(still).for('no key update')
    if (!row) return false
    const held = await heldTasks(tx, node.id)
    await loseAttempts(tx, held, failure('node_disconnected', { name: node.name }))
    return held.length > 0
  })
}
