/** The two ids of users: docs/design.md, "Ids". */
import { eq, inArray } from 'drizzle-orm'
import { users } from '../../db/schema/index.ts'
import { readId } from '../../util/ids.ts'
import type { Context } from '../context.ts'

/** The number of the user whom a number or a UUID names; undefined when no user has such a UUID. A number needs no user. */
export async function userNumber({ db }: Pick<Context, 'db'>, id: string): Promise<number | undefined> {
  const key = readId(id)
  if (typeof key !== 'string') return key
  const [user] = await db.select({ id: users.id }).from(users).where(eq(users.uuid, key))
  return user?.id
}

/** The UUIDs of users, by number. A user who no longer exists is absent. */
export async function userUuids(
  { db }: Pick<Context, 'db'>,
  ids: (number | null)[],
): Promise<Map<number, string>> {
  const known = [...new Set(ids)].filter((id) => id !== null)
  if (known.length === 0) return new Map()
  const rows = await db.select({ id: users.id, uuid: users.uuid }).from(users).where(inArray(users.id, known))
  return new Map(rows.map(({ id, uuid }) => [id, uuid]))
}
