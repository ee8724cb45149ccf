import { sql } from 'drizzle-orm'
import type { Db } from './client.ts'

interface Table extends Record<string, unknown> {
  schema: string
  name: string
  /** Whether it has many dead or new rows; otherwise only its statistics are old. */
  needsVacuum: boolean
}

/**
 * What autovacuum does on PostgreSQL and nothing does on the embedded database, by the limits of PostgreSQL's own defaults. A
 * vacuum removes dead rows, and notes which pages everybody sees, so that a count reads only an index. An analysis counts anew
 * for the planner. Each table holds the only connection up for as long as it takes, so other statements get their turn in
 * between.
 * @returns how many tables it has worked on
 */
export async function maintain(db: Db): Promise<number> {
  const tables = await db.execute<Table>(sql`
    select schema, name, "needsVacuum" from (
      select schemaname as schema, relname as name, n_mod_since_analyze as changes,
        n_dead_tup > 50 + 0.2 * n_live_tup or n_ins_since_vacuum > 1000 + 0.2 * n_live_tup as "needsVacuum",
        n_mod_since_analyze > 50 + 0.1 * n_live_tup as "needsAnalyze"
      from pg_stat_user_tables
    ) tables where "needsVacuum" or "needsAnalyze" order by changes`)
  for (const { schema, name, needsVacuum } of tables) {
    const table = sql`${sql.identifier(schema)}.${sql.identifier(name)}`
    await db.execute(needsVacuum ? sql`vacuum analyze ${table}` : sql`analyze ${table}`)
  }
  return tables.length
}
