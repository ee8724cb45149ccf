/** Protects the packed directory of a new database: it is what initdb and all migrations would make. */
import { expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { jobs } from '../../src/core/jobs.ts'
import { openDatabase } from '../../src/db/client.ts'
import { JobQueue } from '../../src/jobs/queue.ts'
import { createLogger } from '../../src/util/logger.ts'
import { runInitdb } from '../support/make-empty-cluster.ts'

const OWN = sql`n.nspname in ('public', 'drizzle', 'pgboss')`
/** What the catalogs say about settings, databases and everything in them. plpgsql has settings once a session has used it. */
const DESCRIPTIONS = {
  settings: sql`select name, setting, source from pg_settings where name not in ('data_directory', 'config_file', 'hba_file', 'ident_file', 'application_name') and name not like 'plpgsql.%' order by name`,
  databases: sql`select datname, encoding, datcollate, datctype, datlocprovider, datcollversion from pg_database order by datname`,
  roles: sql`select rolname, rolsuper, rolcanlogin from pg_roles order by rolname`,
  extensions: sql`select extname, extversion from pg_extension order by extname`,
  // Built-in functions are below 16384; the numbers of the others depend on what was made before them.
  functions: sql`select case when oid < 16384 then oid::int end as number, proname, prosrc from pg_proc order by 1, 2, 3`,
  collations: sql`select collname, collprovider, collcollate, collversion from pg_collation order by oid`,
  relations: sql`select n.nspname, c.relname, c.relkind, c.relnatts from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname <> 'pg_toast' order by 1, 2`,
  columns: sql`select n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull,
      pg_get_expr(d.adbin, d.adrelid) as default
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where ${OWN} order by 1, 2, a.attnum`,
  indexes: sql`select schemaname, indexname, indexdef from pg_indexes order by 1, 2`,
  constraints: sql`select c.conname, pg_get_constraintdef(c.oid) as definition from pg_constraint c join pg_namespace n on n.oid = c.connamespace where ${OWN} order by 1, 2`,
  triggers: sql`select tgname, pg_get_triggerdef(oid) as definition from pg_trigger where not tgisinternal order by 1`,
}

/** pg-boss names a table of its statistics by the day, and the packed directory was made on another day than this one. */
const undated = (rows: unknown[]): unknown[] =>
  JSON.parse(JSON.stringify(rows).replaceAll(/queue_stats_\d{8}/g, 'queue_stats_DAY'))

/** Opens the database in `dataDir`, which makes its tables, and reads its catalogs. */
async function describe(dataDir: string): Promise<{ found: Record<string, unknown[]>; epoch: string }> {
  const database = await openDatabase({ dataDir, databaseUrl: undefined }, createLogger('silent'))
  try {
    await (await JobQueue.open({ ...database, log: createLogger('silent') }, jobs)).close()
    const found: Record<string, unknown[]> = {}
    for (const [name, query] of Object.entries(DESCRIPTIONS))
      found[name] = undated([...(await database.db.execute(query))])
    return { found, epoch: database.epoch }
  } finally {
    await database.close()
  }
}

test('a database from the packed directory has the catalogs of one that initdb and migrations made', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'roost-cluster-'))
  try {
    const [packed, fresh] = [join(directory, 'packed'), join(directory, 'fresh')]
    mkdirSync(fresh)
    await runInitdb(join(fresh, 'pg'))
    const [{ found: a, epoch }, { found: b }] = [await describe(packed), await describe(fresh)]
    for (const [name, rows] of Object.entries(a)) {
      expect(rows, name).toEqual(b[name]!)
    }
    expect((await describe(join(directory, 'other'))).epoch).not.toBe(epoch)
    expect(a.columns!.length).toBeGreaterThan(200)
    expect(a.functions!.length).toBeGreaterThan(3000)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
