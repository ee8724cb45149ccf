/** The partitions of the system log, one for each day in UTC. */
import { sql } from 'drizzle-orm'
import type { Db } from '../../db/client.ts'
import { isLocked, sqlState } from '../../db/errors.ts'

/** Whether a row was refused because its day has no partition. */
export const lacksPartition = (error: unknown): boolean => sqlState(error) === '23514'

/**
 * Makes the partition of a day, unless there is one. Other statements on the log go on meanwhile: a table that is made as a
 * partition would wait for them all, and hold up those that come later.
 * @param day YYYY-MM-DD
 */
export async function makePartition(db: Db, day: string): Promise<void> {
  await db.transaction(async (tx) => {
    // Several servers find at midnight that there is none.
    await tx.execute(sql`select pg_advisory_xact_lock(hashtext('roost:log_partitions'))`)
    const name = nameOf(day)
    const [found] = await tx.execute(sql`select to_regclass(${`public.${name}`}) is not null as there`)
    if (found!.there) return
    const table = sql.identifier(name)
    await tx.execute(sql`create table ${table} (like system_logs including defaults including storage)`)
    await tx.execute(
      sql`alter table system_logs attach partition ${table}
        for values from (${sql.raw(`'${day}T00:00Z'`)}) to (${sql.raw(`'${dayAfter(day)}T00:00Z'`)})`,
    )
  })
}

const LOCK_MS = '1000'

/**
 * Deletes the partitions of days before `day`. One that is being read or written for longer than a second stays until the
 * next call.
 * @returns how many
 */
export async function dropPartitions(db: Db, day: string): Promise<number> {
  const old = await db.execute<{ name: string }>(sql`
    select relname as name from pg_inherits join pg_class on pg_class.oid = inhrelid
    where inhparent = 'public.system_logs'::regclass and relname < ${nameOf(day)} order by relname`)
  let dropped = 0
  for (const { name } of old) {
    try {
      await db.transaction(async (tx) => {
        await tx.execute(sql`select set_config('lock_timeout', ${LOCK_MS}, true)`)
        await tx.execute(sql`drop table if exists ${sql.identifier(name)}`)
      })
      dropped++
    } catch (error) {
      if (!isLocked(error)) throw error
    }
  }
  return dropped
}

const nameOf = (day: string): string => `system_logs_${day.replaceAll('-', '')}`

const DAY_MS = 86_400_000

/** @param day YYYY-MM-DD */
export const dayAfter = (day: string, days = 1): string =>
  new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10)
