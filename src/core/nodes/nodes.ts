import { and, asc, eq, isNull, sql } from 'drizzle-orm'
import { violatedConstraint } from '../../db/errors.ts'
import { nodes } from '../../db/schema/index.ts'
import { foldCase, tidyName } from '../../util/fold.ts'
import { UUID } from '../../util/ids.ts'
import { randomSecret, sha256 } from '../../util/secrets.ts'
import { emitToHolders } from '../accounts/watchers.ts'
import { type AuditedBy, audit, fieldsOf } from '../audit/audit.ts'
import type { Context, Tx } from '../context.ts'
import { AppError, notFound } from '../errors.ts'
import { failure } from '../tasks/failures.ts'
import { nodeHint } from '../tasks/hints.ts'
import { heldTasks, loseAttempts } from '../tasks/lost-attempts.ts'
import { transaction } from '../transaction.ts'
import { nodeEvent } from './events.ts'
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
export async function createNode(
  ctx: Context,
  by: AuditedBy,
  input: NewNode,
): Promise<{ node: Node; token: string }> {
  const token = randomSecret('node')
  const uuid = Bun.randomUUIDv7()
  const row = { ...input, ...nameColumns(input.name), uuid, tokenHash: sha256(token) }
  const node = await transaction(ctx, async (tx) => {
    const [made] = await tx.db.insert(nodes).values(row).returning()
    audit(tx, by, { action: 'node.created', target: uuid, details: { name: row.name } })
    tx.afterCommit(() => ctx.bus.publish(nodeHint, { nodeId: made!.id, command: { type: 'changed' } }))
    return made!
  }).catch(nameTaken)
  return { node, token }
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
  by: AuditedBy,
  id: string,
  change: { [K in keyof NewNode]?: NewNode[K] | undefined } & { draining?: boolean | undefined },
): Promise<Node> {
  const columns = { ...change, ...(change.name !== undefined && nameColumns(change.name)) }
  const node = await patch(ctx, id, columns, (tx, { uuid }) => {
    audit(tx, by, { action: 'node.updated', target: uuid, details: { fields: fieldsOf(change) } })
  })
  ctx.bus.publish(nodeHint, { nodeId: node.id, command: { type: 'changed' } })
  return node
}

/** Gives the node a new token. The old token, and a socket that was opened with it, end at once. */
export async function rotateToken(
  ctx: Context,
  by: AuditedBy,
  id: string,
): Promise<{ node: Node; token: string }> {
  const token = randomSecret('node')
  const node = await patch(ctx, id, { tokenHash: sha256(token) }, (tx, { uuid, name }) => {
    audit(tx, by, { action: 'node.token_rotated', target: uuid, details: { name } })
  })
  ctx.bus.publish(nodeHint, { nodeId: node.id, command: { type: 'revoked' } })
  return { node, token }
}

/** Removes a node. Its tasks go back to the queue. */
export async function deleteNode(ctx: Context, by: AuditedBy, id: string): Promise<void> {
  await transaction(ctx, async (tx) => {
    // This lock waits for leases that have read the node, and later ones skip the node, so no task can join the held ones.
    const [node] = await tx.db.select().from(nodes).where(withId(id)).for('update')
    if (!node) throw notFound('gpu_server', id)
    const held = await heldTasks(tx, node.id)
    await tx.db.update(nodes).set({ deletedAt: sql`now()`, online: false }).where(eq(nodes.id, node.id))
    if (node.online) await emitToHolders(tx, 'node', 'gpu.offline', nodeEvent(node))
    // Before the tasks are back in the queue, so that the removed node does not get them again.
    tx.afterCommit(() => {
      ctx.bus.publish(nodeHint, { nodeId: node.id, command: { type: 'revoked' } })
      ctx.bus.setState(nodeTopic(node.uuid), undefined)
    })
    await loseAttempts(tx, held, failure('node_removed'))
    audit(tx, by, { action: 'node.deleted', target: node.uuid, details: { name: node.name } })
  })
}

function patch(
  ctx: Context,
  id: string,
  change: object,
  record: (tx: Tx, node: Node) => void,
): Promise<Node> {
  const revised = { ...change, revision: sql`${nodes.revision} + 1`, updatedAt: sql`now()` }
  return transaction(ctx, async (tx) => {
    const [node] = await tx.db.update(nodes).set(revised).where(withId(id)).returning()
    if (!node) throw notFound('gpu_server', id)
    record(tx, node)
    return node
  }).catch(nameTaken)
}

function nameTaken(error: unknown): never {
  if (violatedConstraint(error) === 'nodes_name_key_idx') throw new AppError('NAME_TAKEN')
  throw error
}
