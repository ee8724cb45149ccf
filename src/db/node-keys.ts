import { and, asc, eq, isNotNull, isNull } from 'drizzle-orm'
import { foldCase } from '../util/fold.ts'
import type { Db } from './client.ts'
import { nodes } from './schema/index.ts'

/**
 * Gives the key of its name to each node that has none, because an older version made it. Of two whose names are the same
 * now the newer one keeps its name, with a key of its own. Deleted ones need none: their names are free.
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
  // Once for each node: an administrator has made them by hand, so there are few.
  for (const node of unfilled) {
    const key = foldCase(node.name)
    const own = taken.has(key) ? `${key}\n${node.id}` : key
    taken.add(own)
    await db.update(nodes).set({ nameKey: own }).where(eq(id, node.id))
  }
}
