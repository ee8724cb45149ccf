import { sql } from 'drizzle-orm'
import type { Db } from './client.ts'

interface Table extends Record<string, unknown> {
  schema: string
  name: string
  /** Whether it has many dead rows; otherwise only its statistics are old. */
  hasDead: boolean
}

/**
 * What autovacuum does on PostgreSQL and nothing does on the embedded database: removes dead rows of tables that have many, and
 * counts anew for the planner. By the limits of PostgreSQL's own defaults. Each table holds the only connection up for as long
 * as it takes, so other statements get their turn in between.
 * @returns how many tables it has worked on
 */
export async function maintain(db: Db): Promise<number> {
  const tables = await db.execute<Table>(sql`
    select schemaname as schema, relname as name, n_dead_tup > 50 + 0.2 * n_live_tup as "hasDead"
    from pg_stat_user_tables
    where n_dead_tup > 50 + 0.2 * n_live_tup or n_mod_since_analyze > 50 + 0.1 * n_live_tup
    order by n_mod_since_analyze`)
  for (const { schema, name, hasDead } of tables) {
    const table = sql`${sql.identifier(schema)}.${sql.identifier(name)}`
    await db.execute(hasDead ? sql`vacuum analyze ${table}` : sql`analyze ${table}`)
  }
  return tables.length
}
