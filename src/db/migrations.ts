/** The migrations as steps, so that a restore can stop at the schema of its archive. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import { type MigrationMeta, readMigrationFiles } from 'drizzle-orm/migrator'
import type { Db } from './client.ts'

export const MIGRATIONS = join(import.meta.dir, '../../drizzle')

export interface Schema {
  /** How many migrations have made it. */
  number: number
  /** Of the newest one. */
  name: string
}

interface Migration extends MigrationMeta {
  name: string
}

/** All migrations of this version, the oldest first. */
export function migrations(): Migration[] {
  const journal = JSON.parse(readFileSync(join(MIGRATIONS, 'meta/_journal.json'), 'utf8'))
  const names = (journal.entries as { tag: string }[]).map(({ tag }) => tag)
  return readMigrationFiles({ migrationsFolder: MIGRATIONS }).map((file, i) => ({ ...file, name: names[i]! }))
}

/** The schema of this version. */
export function currentSchema(): Schema {
  const all = migrations()
  return { number: all.length, name: all.at(-1)!.name }
}

/**
 * How many migrations a database has; 0 when it has no tables of Roost, and more than this version knows when a newer version
 * has used it.
 */
export async function appliedMigrations(db: Db): Promise<number> {
  const [found] = await db.execute(
    sql`select to_regclass('drizzle.__drizzle_migrations') is not null as there`,
  )
  if (!found!.there) return 0
  const [last] = await db.execute(
    sql`select coalesce(max(created_at), 0)::text as time from drizzle.__drizzle_migrations`,
  )
  const all = migrations()
  const time = Number(last!.time)
  return time > all.at(-1)!.folderMillis
    ? all.length + 1
    : all.filter(({ folderMillis }) => folderMillis <= time).length
}

/** Applies migrations up to the `number`th, in the transaction of the caller. Drizzle's own `migrate` knows only all of them. */
export async function migrateTo(db: Db, number: number): Promise<void> {
  await db.execute(sql`create schema if not exists drizzle`)
  await db.execute(
    sql`create table if not exists drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)`,
  )
  for (const { sql: statements, hash, folderMillis } of migrations().slice(
    await appliedMigrations(db),
    number,
  )) {
    for (const statement of statements) await db.execute(sql.raw(statement))
    await db.execute(
      sql`insert into drizzle.__drizzle_migrations (hash, created_at) values (${hash}, ${folderMillis}::bigint)`,
    )
  }
}
