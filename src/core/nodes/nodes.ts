import { and, asc, eq, isNull, sql } from 'drizzle-orm'
import { violatedConstraint } from '../../db/errors.ts'
import { nodes } from '../../db/schema/index.ts'
import { foldCase, tidyName } from '../../util/fold.ts'
import { UUID } from '../../util/ids.ts'
import { randomSecret, sha256 } from '../../util/secrets.ts'
import type { Context } from '../context.ts'
import { AppError, notFound } from '../errors.ts'
import { failure } from '../tasks/failures.ts'
import { nodeHint } from '../tasks/hints.ts'
import { heldTasks, loseAttempts } from '../tasks/lost-attempts.ts'
import { transaction } from '../transaction.ts'
import { nodeTopic } from './presence.ts'
import type { Node } from './rows.ts'

export interface NewNode {
  name: string
  host: string
  maxConcurrentTasks: number
}

/**
 * @returns the node and its token, of which the server keeps only a hash
 * @throws AppError NAME_TAKEN
 */
export async function createNode(ctx: Context, input: NewNode): Promise<{ node: Node; token: string }> {
  const token = randomSecret('node')
  const [node] = await ctx.db
    .insert(nodes)
    .values({ ...input, ...nameColumns(input.name), uuid: Bun.randomUUIDv7(), tokenHash: sha256(token) })
    .returning()
    .catch(nameTaken)
  ctx.bus.publish(nodeHint, { nodeId: node!.id, command: { type: 'changed' } })
  return { node: node!, token }
}

/** Names are unique without regard to case, independently of the database's locale. */
const nameColumns = (name: string) => ({ name: tidyName(name), nameKey: foldCase(name) })

export async function listNodes(ctx: Context): Promise<Node[]> {
  return ctx.db.select().from(nodes).where(isNull(nodes.deletedAt)).orderBy(asc(nodes.id))
}

const withId = (id: string) =>
  UUID.test(id) ? and(eq(nodes.uuid, id.toLowerCase()), isNull(nodes.deletedAt)) : sql`false`

/** @throws AppError NOT_FOUND */
export async function getNode(ctx: Context, id: string): Promise<Node> {
  const [node] = await ctx.db.select().from(nodes).where(withId(id))
  if (!node) throw notFound('gpu_server', id)
  return node
}

/** @returns the node with this token, or undefined */
export async function authenticateNode(ctx: Context, token: string): Promise<Node | undefined> {
  const [node] = await ctx.db
    .select()
    .from(nodes)
    .where(and(eq(nodes.tokenHash, sha256(token)), isNull(nodes.deletedAt)))
  return node
}

/** Gives a new socket of the node with this token a number. Later sockets have higher numbers. */
export async function admitNode(
  ctx: Context,
  token: string,
): Promise<{ node: Node; socket: number } | undefined> {
  const [row] = await ctx.db
    .select({ node: nodes, socket: sql<string>`nextval('node_sockets')` })
    .from(nodes)
    .where(and(eq(nodes.tokenHash, sha256(token)), isNull(nodes.deletedAt)))
  return row && { node: row.node, socket: Number(row.socket) }
}

/** @throws AppError NOT_FOUND, NAME_TAKEN */
export async function updateNode(
  ctx: Context,
  id: string,
  change: { [K in keyof NewNode]?: NewNode[K] | undefined } & { draining?: boolean | undefined },
): Promise<Node> {
  const node = await patch(ctx, id, { ...change, ...(change.name !== undefined && nameColumns(change.name)) })
  ctx.bus.publish(nodeHint, { nodeId: node.id, command: { type: 'changed' } })
  return node
}

/** Gives the node a new token. The old token, and a socket that was opened with it, end at once. */
export async function rotateToken(ctx: Context, id: string): Promise<{ node: Node; token: string }> {
  const token = randomSecret('node')
  const node = await patch(ctx, id, { tokenHash: sha256(token) })
  ctx.bus.publish(nodeHint, { nodeId: node.id, command: { type: 'revoked' } })
  return { node, token }
}

/** Removes a node. Its tasks go back to the queue. */
export async function deleteNode(ctx: Context, id: string): Promise<void> {
  await transaction(ctx, async (tx) => {
    // This lock waits for leases that have read the node, and later ones skip the node, so no task can join the held ones.
    const [node] = await tx.db.select().from(nodes).where(withId(id)).for('update')
    if (!node) throw notFound('gpu_server', id)
    const held = await heldTasks(tx, node.id)
    await tx.db.update(nodes).set({ deletedAt: sql`now()`, online: false }).where(eq(nodes.id, node.id))
    // Before the tasks are back in the queue, so that the removed node does not get them again.
    tx.afterCommit(() => {
      ctx.bus.publish(nodeHint, { nodeId: node.id, command: { type: 'revoked' } })
      ctx.bus.setState(nodeTopic(node.uuid), undefined)
    })
    await loseAttempts(tx, held, failure('node_removed'))
  })
}

async function patch(ctx: Context, id: string, change: object): Promise<Node> {
  const [node] = await ctx.db
    .update(nodes)
    .set({ ...change, revision: sql`${nodes.revision} + 1`, updatedAt: sql`now()` })
    .where(withId(id))
    .returning()
    .catch(nameTaken)
  if (!node) throw notFound('gpu_server', id)
  return node
}

function nameTaken(error: unknown): never {
  if (violatedConstraint(error) === 'nodes_name_key_idx') throw new AppError('NAME_TAKEN')
  throw error
}
