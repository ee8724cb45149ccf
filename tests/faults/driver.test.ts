/**
 * Protects the server from what the PostgreSQL driver does when a connection ends or falls silent at a bad moment: the
 * process stays, nothing of one query or transaction reaches another, every query ends, and no place in the pool is
 * lost. See `patches/`.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { openDatabase } from '../../src/db/client.ts'
import { isUnavailable } from '../../src/db/errors.ts'
import { createLogger } from '../../src/util/logger.ts'
import { NO_POSTGRES, PostgresCluster, postgresBinaries } from '../support/postgres.ts'
import { eventually } from '../support/process.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'

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
        // The driver sends a rollback although there is no connection.
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
    // The driver has already rejected this query when the connection ends.
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
    // No rollback of another query has ended a transaction.
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
    // The driver may notice a cut only at the next query, which then fails.
    for (let i = 0; i < 10; i++) {
      await Promise.allSettled(Array.from({ length: 10 }, () => backend()))
      const busy = Promise.allSettled(
        // Long enough that the cut comes in the middle.
        Array.from({ length: 200 }, (_, n) => db.execute(sql`select ${n}::int, pg_sleep(0.02)`)),
      )
      await cluster.query(
        url,
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'roost %'",
      )
      await busy
    }
    // A place that is lost never connects again, so that one of ten queries at once fails each time.
    await eventually(async () => {
      const slow = Array.from({ length: 10 }, () => db.execute(sql`select pg_sleep(0.2)`))
      return (await Promise.allSettled(slow)).every(({ status }) => status === 'fulfilled')
    }, 'every place in the pool answers')
  },
)

test.skipIf(!postgresBinaries)('an error after some rows leaves no holes in the next answer', async () => {
  await using stack = new AsyncDisposableStack()
  const { db } = await scene(stack)
  const everywhere = (query: () => Promise<unknown>) => Promise.allSettled(Array.from({ length: 10 }, query))
  const broken = await everywhere(() =>
    db.execute(sql`select 1 / (50 - i) as x from generate_series(1, 100) i`),
  )
  for (const answer of broken) expect(answer).toMatchObject({ reason: { cause: { code: '22012' } } })
  const answers = await everywhere(() => db.execute(sql`select i from generate_series(1, 2) i`))
  for (const answer of answers) expect(answer).toEqual({ status: 'fulfilled', value: [{ i: 1 }, { i: 2 }] })
})

test.skipIf(!postgresBinaries)('a query that the driver refuses takes nobody else’s answer', async () => {
  await using stack = new AsyncDisposableStack()
  const { db } = await scene(stack)
  const refused = () => db.execute(sql`select ${sql.param(undefined)}::text as x`)
  // Without values, because such queries share a connection with the next ones.
  const number = (n: number) => db.execute(sql.raw(`select ${n} as n, pg_sleep(0.001)`))
  const numbers = Array.from({ length: 300 }, (_, n) => n)
  const answers = await Promise.allSettled(numbers.map((n) => (n % 3 === 2 ? refused() : number(n))))
  for (const [n, answer] of answers.entries()) {
    if (n % 3 === 2) expect(answer).toMatchObject({ reason: { cause: { code: 'UNDEFINED_VALUE' } } })
    else expect(answer).toMatchObject({ status: 'fulfilled', value: [{ n }] })
  }
})

/** More than any query may take, on a busy machine. */
const BOUND_MS = 30_000

/** How these ended: `right`, or the kind of their error; `hung` when one did not end. */
async function ends(queries: Promise<unknown>[]): Promise<string[]> {
  const late = Bun.sleep(BOUND_MS).then(() => 'hung')
  const end = (query: Promise<unknown>) =>
    query.then(
      () => 'right',
      (error) => (isUnavailable(error) ? 'unavailable' : String(error)),
    )
  return Promise.all(queries.map((query) => Promise.race([end(query), late])))
}

// Not concurrent, because the whole process stands still.
test.skipIf(!postgresBinaries)('a process that stood still does not take answers for silence', async () => {
  await using stack = new AsyncDisposableStack()
  const { db } = await scene(stack)
  const slow = db.execute(sql`select pg_sleep(0.5)`)
  // The query is sent, and then the process reads nothing for longer than a connection may be silent.
  await Bun.sleep(100)
  Bun.sleepSync(14_000)
  expect(await ends([slow])).toEqual(['right'])
})

describe.concurrent('a proxy between the driver and the database', () => {
  let cluster: PostgresCluster
  beforeAll(async () => {
    if (postgresBinaries) cluster = await PostgresCluster.start()
  })
  afterAll(() => cluster?.[Symbol.asyncDispose]())

  async function proxied(stack: AsyncDisposableStack) {
    const url = await cluster.createDatabase()
    const proxy = stack.use(await TcpProxy.start(url))
    const database = await openDatabase({ databaseUrl: proxy.through(url), dataDir: '' }, log)
    stack.defer(() => database.close())
    const { db } = database
    const crowd = (size: number) => Array.from({ length: size }, (_, n) => db.execute(sql`select ${n}::int`))
    /** Whether all ten connections of the pool work. */
    const recovers = () =>
      eventually(async () => {
        const rows = await Promise.all(
          Array.from({ length: 10 }, () => db.execute(sql`select pg_backend_pid() as pid, pg_sleep(0.3)`)),
        ).catch(() => [])
        return new Set(rows.map(([row]) => row?.pid)).size === 10
      }, 'ten connections at once')
    return { url, proxy, db, crowd, recovers }
  }

  test.skipIf(!postgresBinaries)('every query on connections that fell silent ends', async () => {
    await using stack = new AsyncDisposableStack()
    const { proxy, db, crowd, recovers } = await proxied(stack)
    await recovers()
    const inside = Promise.withResolvers<void>()
    const silent = Promise.withResolvers<void>()
    const transaction = db.transaction(async (tx) => {
      await tx.execute(sql`select 1`)
      inside.resolve()
      await silent.promise
      await tx.execute(sql`select 2`)
    })
    await inside.promise
    // These connections stay silent for ever, and new ones do too for a while.
    for (const link of proxy.links) link.halfOpen()
    proxy.arrivals = 'silence'
    silent.resolve()
    const answers = await ends([transaction, ...crowd(500)])
    expect(new Set(answers)).toEqual(new Set(['unavailable']))
    proxy.arrivals = 'forward'
    await recovers()
  })

  test.skipIf(!postgresBinaries)('a stalled connection costs its own queries, not the others', async () => {
    await using stack = new AsyncDisposableStack()
    const { proxy, db, crowd, recovers } = await proxied(stack)
    await recovers()
    const [stalled] = proxy.links
    stalled!.stall()
    // Spreads over all connections.
    const answers = await ends(Array.from({ length: 10 }, () => db.execute(sql`select pg_sleep(0.1)`)))
    expect(answers.filter((answer) => answer === 'right')).toHaveLength(9)
    expect(answers).toContain('unavailable')
    expect(new Set(await ends(crowd(100)))).toEqual(new Set(['right']))
    await recovers()
  })

  for (const arrivals of ['close', 'reset'] as const) {
    test.skipIf(!postgresBinaries)(`queries end when new connections meet: ${arrivals}`, async () => {
      await using stack = new AsyncDisposableStack()
      const { proxy, crowd, recovers } = await proxied(stack)
      proxy.arrivals = arrivals
      proxy.resetAll()
      expect(new Set(await ends(crowd(100)))).toEqual(new Set(['unavailable']))
      proxy.arrivals = 'forward'
      await recovers()
    })
  }

  test.skipIf(!postgresBinaries)('what a vanished server had locked is free within a bound', async () => {
    await using stack = new AsyncDisposableStack()
    const { url, proxy, db } = await proxied(stack)
    await cluster.query(url, "insert into settings (key, value) values ('one', '1')")
    const locked = Promise.withResolvers<void>()
    const transaction = db.transaction(async (tx) => {
      await tx.execute(sql`update settings set value = '2' where key = 'one'`)
      locked.resolve()
      await Bun.sleep(100_000)
    })
    transaction.catch(() => {})
    await locked.promise
    for (const link of proxy.links) link.vanish()
    // Another server with the same settings: its write waits for the lock, and succeeds.
    const other = await openDatabase({ databaseUrl: url, dataDir: '' }, log)
    stack.defer(() => other.close())
    const write = other.db.execute(sql`update settings set value = '3' where key = 'one'`)
    expect(await ends([write])).toEqual(['right'])
    await expect(transaction).rejects.toThrow()
  })

  test.skipIf(!postgresBinaries)('the database looks for servers that are gone', async () => {
    await using stack = new AsyncDisposableStack()
    const { db } = await proxied(stack)
    const [row] = await db.execute(sql`
      select current_setting('tcp_keepalives_idle')::int as idle, current_setting('tcp_user_timeout')::int as unacked,
        current_setting('idle_in_transaction_session_timeout') as transaction`)
    expect(row).toEqual({ idle: 10, unacked: 25_000, transaction: '5s' })
  })
})
