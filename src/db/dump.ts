/** Reads a database as it is at one moment, table by table, in bounded memory. */
import { type SQL, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import type postgres from 'postgres'
import type { Db } from './client.ts'
import { fixTextForms, liftTimeLimits, ownTables, readTables, type TableColumns } from './tables.ts'

export interface SequenceValue {
  name: string
  /** A decimal number. */
  value: string
}

/** Lines of one batch. */
const BATCH = 200
/** Bytes of a line that comes in a batch. A row may have some megabytes, and the memory need not hold 200 of these. */
const MAX_BATCHED = 64 * 1024

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

  /** The rows of a table, each as a JSON list of its columns' texts in one line. A long row comes alone. */
  async *rows({ name, columns }: TableColumns): AsyncGenerator<string[]> {
    const texts = columns.map((column) => sql`${sql.identifier(column.name)}::text`)
    const line = sql`json_build_array(${sql.join(texts, sql`, `)})::text`
    const table = sql`only ${sql.identifier(name)}`
    // Without `offset 0`, PostgreSQL would make each line twice.
    const rows = sql`
      select case when octet_length(line) <= ${sql.raw(String(MAX_BATCHED))} then line end as line, ctid::text as place
      from (select ${line} as line, ctid from ${table} offset 0) as rows`
    for await (const batch of this.batches<{ line: string | null; place: string }>(rows)) {
      yield batch.flatMap(({ line }) => line ?? [])
      for (const { place } of batch.filter(({ line }) => line === null))
        yield (
          await this.db.execute<{ line: string }>(
            sql`select ${line} as line from ${table} where ctid = ${place}::tid`,
          )
        ).map(({ line }) => line)
    }
  }

  /** Runs a query whose only column is a short text without line breaks. */
  async *lines(query: SQL): AsyncGenerator<string[]> {
    for await (const batch of this.batches<{ line: string }>(sql`select * from (${query}) as lines (line)`))
      yield batch.map(({ line }) => line)
  }

  private async *batches<Row extends Record<string, unknown>>(query: SQL): AsyncGenerator<Row[]> {
    await this.db.execute(sql`declare batches no scroll cursor for ${query}`)
    for (;;) {
      const batch = await this.db.execute<Row>(sql.raw(`fetch ${BATCH} from batches`))
      if (batch.length === 0) break
      yield batch as unknown as Row[]
    }
    await this.db.execute(sql.raw('close batches'))
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
