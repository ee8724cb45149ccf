import { and, inArray, ne } from 'drizzle-orm'
import { users } from '../../db/schema/index.ts'
import type { Tx } from '../context.ts'
import type { ChannelEvents } from '../events.ts'
import { type Area, mayAll, ROLES } from './permissions.ts'

/** The active users who hold `<area>.*`. One query. */
export async function holdersOf({ db }: Pick<Tx, 'db'>, area: Area): Promise<number[]> {
  const roles = ROLES.filter((role) => mayAll(role, area))
  const rows = await db
    .select({ id: users.id })
    .from(users)
    // The first condition is that of the index.
    .where(and(ne(users.role, 'user'), inArray(users.role, roles), users.isActive))
  return rows.map(({ id }) => id)
}

/** Emits an event of the site to every active user who holds `<area>.*`. */
export async function emitToHolders<T extends keyof ChannelEvents>(
  tx: Tx,
  area: Area,
  type: T,
  data: ChannelEvents[T],
): Promise<void> {
  for (const userId of await holdersOf(tx, area)) tx.emit(userId, type, data)
}
