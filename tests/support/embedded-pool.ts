/**
 * Embedded databases for the servers of this process. Starting one takes half a second of processor time. So a server that
 * ends leaves its database to the next one, which finds only the rows and numbers of the template in it. What a session
 * leaves, such as locks, settings and prepared statements, PGlite's socket discards when the connection ends.
 */
import type postgres from 'postgres'
import { openEmbedded } from '../../src/db/driver.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/db/embedded.ts'
import { createLogger } from '../../src/util/logger.ts'
import { temporaryDirectory } from './process.ts'
import { copyTemplate } from './template.ts'

type Client = Pick<postgres.Sql, 'unsafe'>

const idle: EmbeddedPostgres[] = []
/** Of the template, which all databases of this process are copies of. */
let template: Promise<Template> | undefined

interface Template {
  /** Changes when DDL changes tables, functions, triggers or sequences. */
  catalogs: string
  /** The rows of each table that has any, as JSON. */
  rows: Map<string, string>
  /** The last number of each sequence that was used. */
  sequences: Map<string, string>
}

/** A database as a new server finds it. Its `close` gives it to the next caller. */
export async function borrowEmbedded(): Promise<EmbeddedPostgres> {
  for (let kept = idle.pop(); kept; kept = idle.pop()) {
    if (await reset(kept)) return lend(kept)
    // A test has changed its tables.
    await kept.close()
  }
  return lend(await startAnother())
}

function lend(database: EmbeddedPostgres): EmbeddedPostgres {
  let lent = true
  return {
    ...database,
    async close() {
      if (lent) idle.push(database)
      lent = false
    },
  }
}

async function startAnother(): Promise<EmbeddedPostgres> {
  const directory = temporaryDirectory('pool')
  removeAtEnd(directory)
  await copyTemplate(directory)
  const database = await startEmbeddedPostgres(directory, createLogger('silent'))
  template ??= connected(database, readTemplate)
  await template
  return database
}

/** By a process that outlives this one, because a test's process learns nothing of its end. */
function removeAtEnd(directory: string): void {
  const command = ['sh', '-c', 'trap "" INT TERM; read -r _; rm -rf "$0"', directory]
  Bun.spawn(command, { stdin: 'pipe', stdout: 'ignore', stderr: 'ignore' }).unref()
}

async function connected<T>(database: EmbeddedPostgres, use: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const client = openEmbedded(database)
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}

const readTemplate = async (sql: Client): Promise<Template> => ({
  catalogs: await hashCatalogs(sql),
  rows: new Map(
    await Promise.all(
      (await filledTables(sql)).map(async (table) => {
        const [row] = await sql.unsafe(`select jsonb_agg(to_jsonb(t))::text as rows from ${table} t`)
        return [table, row!.rows as string] as const
      }),
    ),
  ),
  sequences: new Map((await usedSequences(sql)).map(({ name, value }) => [name, value])),
})

/** @returns false when its tables are no longer those of the template */
const reset = (database: EmbeddedPostgres): Promise<boolean> =>
  connected(database, async (sql) => {
    const { catalogs, rows, sequences } = await template!
    if ((await hashCatalogs(sql)) !== catalogs) return false
    const filled = await filledTables(sql)
    await sql.begin(async (tx) => {
      // No foreign key and no trigger.
      await tx.unsafe('set local session_replication_role = replica')
      for (const table of filled) await tx.unsafe(`delete from ${table}`)
      for (const [table, json] of rows) {
        await tx.unsafe(
          `insert into ${table} overriding system value select * from jsonb_populate_recordset(null::${table}, $1::text::jsonb)`,
          [json],
        )
      }
      for (const { name, start } of await usedSequences(tx)) {
        const value = sequences.get(name)
        const last = [name, value ?? start, value !== undefined]
        await tx.unsafe('select setval($1::text::regclass, $2::text::bigint, $3)', last)
      }
    })
    if (filled.length > 0) await sql.unsafe(`vacuum ${filled.join()}`)
    // A connection writes its statistics late. They are written now, so that they are forgotten too.
    await sql.unsafe('select pg_stat_force_next_flush()')
    await sql.unsafe(FORGET_STATISTICS)
    return true
  })

const OWN_SCHEMAS = "nspname not in ('pg_catalog', 'pg_toast', 'information_schema')"

async function filledTables(sql: Client): Promise<string[]> {
  const tables = await sql.unsafe(
    `select format('%I.%I', nspname, relname) as name
     from pg_class join pg_namespace on pg_namespace.oid = relnamespace where relkind = 'r' and ${OWN_SCHEMAS}`,
  )
  const looks = tables.map(({ name }) => `select '${name}' as name where exists (select from ${name})`)
  return (await sql.unsafe(looks.join(' union all '))).map(({ name }) => name)
}

const usedSequences = (sql: Client) =>
  sql.unsafe<{ name: string; start: string; value: string }[]>(
    `select format('%I.%I', schemaname, sequencename) as name, start_value::text as start, last_value::text as value
     from pg_sequences where last_value is not null`,
  )

const FIRST_OWN_OID = 16_384

/** The catalogs that DDL writes, and the column that says to which object a row belongs. */
const CATALOGS = {
  pg_attrdef: 'oid',
  pg_attribute: 'attrelid',
  pg_constraint: 'oid',
  pg_index: 'indexrelid',
  pg_policy: 'oid',
  pg_proc: 'oid',
  pg_rewrite: 'oid',
  pg_sequence: 'seqrelid',
  pg_trigger: 'oid',
  pg_type: 'oid',
}

/** A changed row is known by the transaction that wrote it. In pg_class, statistics are written as well. */
async function hashCatalogs(sql: Client): Promise<string> {
  const rows = Object.entries(CATALOGS).map(
    ([name, oid]) =>
      `select concat_ws(' ', '${name}', ${oid}, xmin) from ${name} where ${oid} >= ${FIRST_OWN_OID}`,
  )
  rows.push(`select concat_ws(' ', oid, relname, reloptions) from pg_class where oid >= ${FIRST_OWN_OID}`)
  const [row] = await sql.unsafe(
    `select md5(string_agg(fact, E'\\n' order by fact)) as hash from (${rows.join(' union all ')}) as facts (fact)`,
  )
  return row!.hash
}

/**
 * Otherwise statements would be planned for the rows of an earlier test. The view pg_stats would ask for the privileges on
 * every column, which takes ten times as long.
 */
const FORGET_STATISTICS = `
  select pg_clear_attribute_stats(nspname::text, relname::text, attname::text, stainherit)
  from pg_statistic
    join pg_class on pg_class.oid = starelid
    join pg_namespace on pg_namespace.oid = relnamespace
    join pg_attribute on attrelid = starelid and attnum = staattnum
  where ${OWN_SCHEMAS};
  select pg_clear_relation_stats(nspname::text, relname::text)
  from pg_class join pg_namespace on pg_namespace.oid = relnamespace
  where relkind in ('r', 'i') and reltuples >= 0 and ${OWN_SCHEMAS};
  select pg_stat_reset()`
