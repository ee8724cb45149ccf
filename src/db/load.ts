/** Fills an empty database with rows that were dumped, in one transaction. */
import { type SQL, sql } from 'drizzle-orm'
import { StartupError } from '../util/startup-error.ts'
import type { Db } from './client.ts'
import type { SequenceValue } from './dump.ts'
import { appliedMigrations, migrateTo, migrations } from './migrations.ts'
import { fixTextForms, ownTables, readTables, type TableColumns } from './tables.ts'

/** The names of tables that have rows. A start writes settings before there is any data. */
export async function filledTables(db: Db): Promise<string[]> {
  const filled: string[] = []
  for (const { name } of await readTables(db, ownTables())) {
    if (name === 'settings') continue
    const [row] = await db.execute(sql`select exists (select from ${sql.identifier(name)}) as filled`)
    if (row!.filled) filled.push(name)
  }
  return filled
}

/**
 * Makes the tables of an older or the same schema version in a database without rows.
 * @param embedded the database has nothing but Roost's tables, so they can be made anew when they are newer
 * @throws StartupError when the database has newer tables
 */
export async function makeSchema(db: Db, number: number, embedded: boolean): Promise<void> {
  if ((await appliedMigrations(db)) > number) {
    if (!embedded)
      throw new StartupError(
        'The database in DATABASE_URL has the tables of a newer version than the archive. Create a new, empty database and restore into that.',
      )
    await db.execute(sql.raw('drop schema if exists drizzle, pgboss, public cascade'))
    await db.execute(sql.raw('create schema public'))
  }
  await migrateTo(db, number)
  await db.execute(sql.raw('delete from settings'))
}

/** Brings restored tables to the schema of this version. */
export const migrateToCurrent = (db: Db): Promise<void> => migrateTo(db, migrations().length)

/** A planner without statistics reads whole tables, and the embedded database has no autovacuum. */
export async function analyze(db: Db): Promise<void> {
  const tables = (await readTables(db, ownTables())).map(({ name }) => sql.identifier(name))
  await db.execute(sql`analyze ${sql.join(tables, sql`, `)}`)
}

/**
 * Takes rows in any order of tables: foreign keys and triggers are off until `finish`. Then each foreign key is made anew, which
 * checks all rows.
 */
export class Loader {
  private constructor(
    private readonly db: Db,
    private readonly tables: Map<string, TableColumns>,
    private readonly foreignKeys: SQL[],
  ) {}

  /** @param wanted the tables of the archive */
  static async open(db: Db, wanted: TableColumns[]): Promise<Loader> {
    await fixTextForms(db)
    const names = wanted.map(({ name }) => name)
    const found = await readTables(db, names)
    const types = new Map(
      found.map(({ name, columns }) => [name, new Map(columns.map((column) => [column.name, column.type]))]),
    )
    const tables = new Map<string, TableColumns>()
    for (const { name, columns } of wanted) {
      const known = types.get(name)
      if (!known || columns.some((column) => !known.has(column.name)))
        throw new StartupError(`The archive has a table ${name} that its schema version does not have.`)
      const typed = columns.map((column) => ({ ...column, type: known.get(column.name)! }))
      tables.set(name, { name, columns: typed })
    }
    const keys = await db.execute<{ table: string; name: string; definition: string }>(sql`
      select conrelid::regclass::text as "table", quote_ident(conname) as name, pg_get_constraintdef(oid) as definition
      from pg_constraint
      where contype = 'f' and conrelid in (
        select format('public.%I', name)::regclass from json_array_elements_text(${JSON.stringify(names)}::text::json) as name
      ) order by oid`)
    for (const { table, name } of keys)
      await db.execute(sql.raw(`alter table ${table} drop constraint ${name}`))
    for (const name of names) await db.execute(sql`alter table ${sql.identifier(name)} disable trigger user`)
    return new Loader(
      db,
      tables,
      keys.map(({ table, name, definition }) =>
        sql.raw(`alter table ${table} add constraint ${name} ${definition}`),
      ),
    )
  }

  /** @param rows a JSON list with a list of the columns' texts for each row */
  async insert(table: string, rows: string): Promise<void> {
    const { name, columns } = this.tables.get(table)!
    const names = columns.map((column) => sql.identifier(column.name))
    // The type is the catalog's own text.
    const values = columns.map(({ type }, i) => sql.raw(`(r ->> ${i})::${type}`))
    await this.db.execute(sql`
      insert into ${sql.identifier(name)} (${sql.join(names, sql`, `)}) overriding system value
      select ${sql.join(values, sql`, `)} from json_array_elements(${rows}::text::json) as rows (r)`)
  }

  async finish(sequences: SequenceValue[]): Promise<void> {
    for (const { name, value } of sequences)
      await this.db.execute(sql`
        select setval(format('public.%I', sequencename::text)::regclass, ${value}::text::bigint)
        from pg_sequences where schemaname = 'public' and sequencename = ${name}`)
    for (const key of this.foreignKeys) await this.db.execute(key)
    for (const name of this.tables.keys())
      await this.db.execute(sql`alter table ${sql.identifier(name)} enable trigger user`)
  }
}
