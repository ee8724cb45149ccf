/** Reads a database as it is at one moment, table by table, in bounded memory. */
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import type postgres from 'postgres'
import type { Db } from './client.ts'
import { fixTextForms, liftTimeLimits, ownTables, readTables, type TableColumns } from './tables.ts'

export interface SequenceValue {
  name: string
  /** A decimal number. */
  value: string
}

/** Rows of one batch. A row may have some megabytes. */
const BATCH = 200

/** A transaction on a connection of its own. It must be closed. */
export class Snapshot {
  private constructor(
    private readonly db: Db,
    readonly tables: TableColumns[],
    readonly sequences: SequenceValue[],
    /** Of the database, as in cursors. */
    readonly epoch: string,
  ) {}

  /** @param client with one connection, which nothing else uses until the snapshot is closed */
  static async open(client: postgres.Sql): Promise<Snapshot> {
    const db = drizzle(client)
    await db.execute(sql.raw('begin isolation level repeatable read read only'))
    await liftTimeLimits(db)
    await fixTextForms(db)
    const tables = await readTables(db, ownTables())
    // Numbers of sequences are no part of a snapshot: they are at least what the snapshot's rows have used.
    const sequences = await db.execute<{ name: string; value: string }>(
      sql`select sequencename as name, last_value::text as value from pg_sequences
        where schemaname = 'public' and last_value is not null order by 1`,
    )
    const [row] = await db.execute<{ epoch: string }>(
      sql`select value #>> '{}' as epoch from settings where key = 'epoch'`,
    )
    return new Snapshot(
      db,
      tables,
      sequences.map(({ name, value }) => ({ name, value })),
      row?.epoch ?? '',
    )
  }

  /** The rows of a table, each as a JSON list of its columns' texts in one line. */
  rows({ name, columns }: TableColumns): AsyncGenerator<string[]> {
    const texts = columns.map((column) => sql`${sql.identifier(column.name)}::text`)
    return this.lines(
      sql`select json_build_array(${sql.join(texts, sql`, `)})::text from only ${sql.identifier(name)}`,
    )
  }

  /** Runs a query whose only column is a text without line breaks. */
  async *lines(query: ReturnType<typeof sql>): AsyncGenerator<string[]> {
    await this.db.execute(sql`declare lines no scroll cursor for select * from (${query}) as lines (line)`)
    for (;;) {
      const batch = await this.db.execute<{ line: string }>(sql.raw(`fetch ${BATCH} from lines`))
      if (batch.length === 0) break
      yield batch.map(({ line }) => line)
    }
    await this.db.execute(sql.raw('close lines'))
  }

  /** Whether there is such a table. */
  async has(table: string): Promise<boolean> {
    const [row] = await this.db.execute(sql`select to_regclass(${table}::text) is not null as there`)
    return row!.there === true
  }

  async close(): Promise<void> {
    await this.db.execute(sql.raw('rollback'))
  }
}
