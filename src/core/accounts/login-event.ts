import { and, eq, ne, sql } from 'drizzle-orm'
import { channels, users } from '../../db/schema/index.ts'
import type { Client } from '../audit/audit.ts'
import type { Tx } from '../context.ts'
import { may } from './permissions.ts'
import type { User } from './rows.ts'

/**
 * Tells a user of a new session of theirs, and those administrators who have a webhook for it. The others can look it up: in the
 * channel of every administrator the sign-ins of a large site would push out everything else.
 */
export async function announceSignIn(tx: Tx, user: User, sessionId: string, client: Client): Promise<void> {
  const staff = await tx.db
    .select({ id: users.id, role: users.role })
    .from(users)
    .innerJoin(channels, eq(channels.userId, users.id))
    // The first condition is that of the index.
    .where(and(ne(users.role, 'user'), users.isActive, sql`jsonb_exists(${channels.hooks}, 'user.login')`))
  const readers = staff.filter(({ role }) => may(role, 'user.read')).map(({ id }) => id)
  const data = { user, sessionId, ip: client.ip, userAgent: client.userAgent }
  for (const userId of new Set([user.id, ...readers])) tx.emit(userId, 'user.login', data)
}
