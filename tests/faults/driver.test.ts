/**
 * Protects the server from what the PostgreSQL driver does when a connection ends at a bad moment: the process stays,
 * nothing of one transaction reaches another, and no place in the pool is lost. See `patches/`.
 */
import { expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { openDatabase } from '../../src/db/client.ts'
import { createLogger } from '../../src/util/logger.ts'
import { NO_POSTGRES, PostgresCluster, postgresBinaries } from '../support/postgres.ts'
import { eventually } from '../support/process.ts'

if (!postgresBinaries) console.log(`skipped: connections that end at a bad moment: ${NO_POSTGRES}`)

const log = createLogger('silent')

async function scene(stack: AsyncDisposableStack) {
  const cluster = stack.use(await PostgresCluster.start())
  const url = await cluster.createDatabase()
  const database = await openDatabase({ databaseUrl: url, dataDir: '' }, log)
  stack.defer(() => database.close())
  const backend = async (db = database.db) => {
    const [row] = await db.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`)
    return row!.pid
  }
  /** Ends a connection, and waits until the driver must have seen it. */
  const cut = async (pid: number) => {
    await cluster.query(url, `select pg_terminate_backend(${pid})`)
    await eventually(
      async () =>
        (await cluster.query(url, `select 1 from pg_stat_activity where pid = ${pid}`)).length === 0,
      'the connection is gone',
    )
    await Bun.sleep(50)
  }
  return { cluster, url, database, db: database.db, backend, cut }
}

test.skipIf(!postgresBinaries)(
  'cut in the middle of a transaction: it fails, and the process goes on',
  async () => {
    await using stack = new AsyncDisposableStack()
    const { db, backend, cut } = await scene(stack)
    for (let i = 0; i < 5; i++) {
      const transaction = db.transaction(async (tx) => {
        await cut(await backend(tx))
        // The driver sends a rollback where there is no connection.
        throw new Error('the end of the work')
      })
      await expect(transaction).rejects.toThrow()
    }
    expect(await Promise.all(Array.from({ length: 50 }, () => backend()))).toHaveLength(50)
  },
)

test.skipIf(!postgresBinaries)(
  'a transaction that outlives its connection does not reach into another',
  async () => {
    await using stack = new AsyncDisposableStack()
    const { db, backend, cut } = await scene(stack)
    const cutOff = Promise.withResolvers<void>()
    const others = Promise.withResolvers<void>()
    const late: unknown[] = []
    const first = db.transaction(async (tx) => {
      await cut(await backend(tx))
      cutOff.resolve()
      await others.promise
      await tx
        .execute(sql`insert into settings (key, value) values ('late', '1')`)
        .catch((error) => late.push(error))
      throw new Error('the end of the work')
    })
    // Already rejected when the connection ends.
    first.catch(() => {})
    await cutOff.promise
    // Takes every connection of the pool, that of the first one too when it is opened again.
    let begun = 0
    const rest = Array.from({ length: 10 }, (_, i) =>
      db.transaction(async (tx) => {
        await tx.execute(sql`insert into settings (key, value) values (${`other ${i}`}, '1')`)
        if (++begun === 10) {
          others.resolve()
          await Bun.sleep(100)
        }
        await others.promise
        await Bun.sleep(200)
        const [row] = await tx.execute<{ n: string }>(sql`select txid_current_if_assigned() as n`)
        return row!.n
      }),
    )
    // None lost its transaction to a rollback that was not its own.
    expect(await Promise.all(rest)).not.toContain(null as never)
    await expect(first).rejects.toThrow()
    expect(late).toHaveLength(1)
    const rows = await db.execute<{ key: string }>(sql`select key from settings where key = 'late'`)
    expect(rows).toHaveLength(0)
  },
)

test.skipIf(!postgresBinaries)(
  'cut with a query on the way: every place in the pool comes back',
  async () => {
    await using stack = new AsyncDisposableStack()
    const { cluster, url, db, backend } = await scene(stack)
    for (let i = 0; i < 10; i++) {
      await Promise.all(Array.from({ length: 10 }, () => backend()))
      const busy = Promise.allSettled(
        Array.from({ length: 200 }, (_, n) => db.execute(sql`select ${n}::int, pg_sleep(0.001)`)),
      )
      await cluster.query(
        url,
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'roost'",
      )
      await busy
    }
    // A lost place never connects again: a query that is given to it fails after a while.
    const all = Promise.all(Array.from({ length: 10 }, () => db.execute(sql`select pg_sleep(0.2)`)))
    expect(await all).toHaveLength(10)
  },
)
