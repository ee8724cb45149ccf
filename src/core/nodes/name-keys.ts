import { and, asc, eq, isNotNull, isNull } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { nodes } from '../../db/schema/index.ts'
import { foldCase } from '../../util/fold.ts'

/**
 * Fills the name key of each node that an older version created without one. When two names fold to the same key, the
 * newer node keeps its name with a key of its own. Deleted nodes need no key, because their names are free.
 */
export async function fillNodeKeys(db: Db): Promise<void> {
  const { id, name, nameKey, deletedAt } = nodes
  const kept = await db
    .select({ nameKey })
    .from(nodes)
    .where(and(isNull(deletedAt), isNotNull(nameKey)))
  const taken = new Set(kept.map((row) => row.nameKey))
  const unfilled = await db
    .select({ id, name })
    .from(nodes)
    .where(and(isNull(deletedAt), isNull(nameKey)))
    .orderBy(asc(id))
  // One statement for each node is fast enough: administrators create nodes by hand, so there are few.
  for (const node of unfilled) {
    const key = foldCase(node.name)
    const unique = taken.has(key) ? `${key}\n${node.id}` : key
    taken.add(unique)
    await db.update(nodes).set({ nameKey: unique }).where(eq(id, node.id))
  }
}
