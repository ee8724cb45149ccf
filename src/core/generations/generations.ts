/**
 * How often each kind of data has changed. A change adds one to the number of its kind in its own transaction, so a reader who
 * has read the numbers first may use what was computed under the same numbers: docs/design.md, "Cache".
 */
import { sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { preparedSql } from '../../db/prepared.ts'

/** Kinds of data that the cache keeps answers of, in the order in which a change locks their rows. */
export const CACHED_DOMAINS = ['categories', 'photos', 'settings', 'tags'] as const
export type CachedDomain = (typeof CACHED_DOMAINS)[number]

export type Generations = Readonly<Record<CachedDomain, number>>

/**
 * Adds one to the numbers of these domains. The rows stay locked until the commit, so it is a statement of the transaction's end;
 * every transaction locks them in the same order, and before channel rows.
 */
export async function raiseGenerations(db: Db, domains: ReadonlySet<CachedDomain>): Promise<void> {
  await raise(db).execute({ domains: CACHED_DOMAINS.filter((domain) => domains.has(domain)).join() })
}

const raise = preparedSql<object>(
  'raise_generations',
  sql`
    insert into generations (domain, value)
    select domain, 1 from string_to_table(${sql.placeholder('domains')}::text, ',') with ordinality as changed(domain, n) order by n
    on conflict (domain) do update set value = generations.value + 1`,
)

/** The numbers now. Read them before what they stand for. */
export async function readGenerations(db: Db): Promise<Generations> {
  const rows = await readAll(db).execute({})
  const known = new Map(rows.map(({ domain, value }) => [domain, Number(value)]))
  return Object.fromEntries(CACHED_DOMAINS.map((domain) => [domain, known.get(domain) ?? 0])) as Record<
    CachedDomain,
    number
  >
}

const readAll = preparedSql<{ domain: CachedDomain; value: string }>(
  'read_generations',
  sql`select domain, value from generations`,
)
