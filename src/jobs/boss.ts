import { type Db as BossDatabase, PgBoss } from 'pg-boss'
import type { Db } from '../db/client.ts'
import { runSql } from '../db/foreign-sql.ts'
import type { Logger } from '../util/logger.ts'

/** How often a server looks for jobs whose server has ended. The embedded database has only one server. */
const SUPERVISE_SECONDS = { embedded: 60, shared: 3 }
const HOUR_SECONDS = 3600

/** pg-boss on the server's own connections. Its tables are in the schema `pgboss`, which it migrates itself. */
export function createBoss(db: Db, embedded: boolean, log: Logger): PgBoss {
  const interval = embedded ? SUPERVISE_SECONDS.embedded : SUPERVISE_SECONDS.shared
  const boss = new PgBoss({
    db: bossDatabase(db),
    backend: embedded ? 'pglite' : 'postgres',
    superviseIntervalSeconds: interval,
    monitorIntervalSeconds: interval,
    // Roost does not use pg-boss's cron, dependent jobs, and maintenance of tables with millions of rows.
    schedule: false,
    flowIntervalSeconds: HOUR_SECONDS,
    reindex: false,
    monitorVacuum: false,
  })
  boss.on('error', (error) => log.warn({ err: error }, 'a step of the job queue failed'))
  boss.on('warning', (warning) => log.warn({ warning }, 'the job queue gave a warning'))
  return boss
}

/** The interface that pg-boss needs of a database, over a database or transaction of this server. */
export const bossDatabase = (db: Db): BossDatabase => ({
  executeSql: async (text, values) => ({ rows: await runSql(db, text, values) }),
})
