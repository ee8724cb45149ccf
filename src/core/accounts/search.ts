import { asc, eq, sql } from 'drizzle-orm'
import { nameGrams } from '../../db/names.ts'
import { users } from '../../db/schema/index.ts'
import { foldCase } from '../../util/fold.ts'
import type { Context } from '../context.ts'
import { enforceLimits, type Limit } from '../rate-limits/rate-limits.ts'
import { findByEmail } from './accounts.ts'
import type { User } from './rows.ts'

/** docs/contracts/runtime.md, "Users". */
const MAX_FOUND = 20

const limits = (userId: number): Limit[] => [
  { policy: 'user-search', key: String(userId), max: 30, windowMs: 60_000 },
]

/**
 * Finds at most 20 active users. A query with `@` finds the user with exactly that email. Any other query finds the
 * users whose username or display name contains it: first exact matches, then names that begin with it, then the rest.
 * @throws AppError RATE_LIMITED
 */
export async function searchUsers(ctx: Context, userId: number, query: string): Promise<User[]> {
  await enforceLimits(ctx, limits(userId))
  const wanted = query.trim()
  if (!wanted) return []
  if (!wanted.includes('@')) return searchByName(ctx, wanted)
  const user = await findByEmail(ctx, wanted)
  return user?.isActive ? [user] : []
}

async function searchByName(ctx: Context, wanted: string): Promise<User[]> {
  const folded = foldCase(wanted)
  // One query for each rank, each with its own limit, so that many lower matches can't push a higher one out.
  const hits = [`\n${folded}\n`, `\n${folded}`, folded].map((text, rank) => {
    const part = sql`${text}::text`
    // Only a query of one character needs the single characters: their lists are long, and add nothing to pairs.
    const grams = nameGrams(part, sql`least(2, char_length(${part}))`)
    return sql`(select ${users.id} as id, ${rank}::int as rank from ${users} where ${users.isActive}
      and ${nameGrams(sql`${users.searchKey}`, 1)} @> ${grams} and strpos(${users.searchKey}, ${part}) > 0 limit ${MAX_FOUND})`
  })
  const found = sql`(select id, min(rank) as rank from (${sql.join(hits, sql` union all `)}) hits group by id) found`
  const rows = await ctx.db
    .select({ user: users })
    .from(users)
    .innerJoin(found, eq(users.id, sql`found.id`))
    .orderBy(sql`found.rank`, asc(users.username))
    .limit(MAX_FOUND)
  return rows.map(({ user }) => user)
}
