/** Prepared statements and the round trips of a transaction: fewer of them, with the same guarantees. */
import { afterAll, describe, expect, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { channelHead, readEvents } from '../../src/core/channel/log.ts'
import { transaction } from '../../src/core/transaction.ts'
import type { Db } from '../../src/db/client.ts'
import { users } from '../../src/db/schema/index.ts'
import { commitWithNext, MAX_PREPARED, prepareStatements } from '../../src/db/statements.ts'
import { makeUser } from '../support/factories.ts'
import { startServer } from '../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())
const { ctx } = server
const { db } = ctx

const prepared = (on: Db, like: string) =>
  on.execute<{ name: string; uses: number }>(
    sql.raw(`
    select name, (generic_plans + custom_plans)::int as uses from pg_prepared_statements where statement like '${like}'`),
  )
const backend = async (on: Db) => {
  const [row] = await on.execute<{ pid: number }>(sql.raw('select pg_backend_pid() as pid'))
  return row!.pid
}
/** Runs `work` on every connection of the pool, in as many transactions at once. */
async function everywhere<T>(work: (tx: Db) => Promise<T>, connections = 10): Promise<T[]> {
  if (ctx.config.databaseUrl === undefined) return [await db.transaction(work)]
  let arrived = 0
  const all = Promise.withResolvers<void>()
  return Promise.all(
    Array.from({ length: connections }, () =>
      db.transaction(async (tx) => {
        await tx.execute(sql.raw('select 1'))
        if (++arrived === connections) all.resolve()
        await all.promise
        return work(tx)
      }),
    ),
  )
}

describe('prepared statements', () => {
  test('a statement with parameters is prepared once per connection', async () => {
    await db.transaction(async (tx) => {
      for (let n = 0; n < 3; n++) {
        expect([...(await tx.execute(sql`select ${n}::int as once`))]).toEqual([{ once: n }])
      }
      expect(await prepared(tx, 'select $1::int as once')).toMatchObject([{ uses: 3 }])
    })
  })

  test('a statement of the query builder is prepared too', async () => {
    await db.transaction(async (tx) => {
      for (let n = 0; n < 3; n++)
        await tx
          .select({ id: users.id })
          .from(users)
          .where(eq(users.bio, `${n}`))
      const like = 'select "id" from "users" where "users"."bio" = $1'
      expect(await prepared(tx, like)).toMatchObject([{ uses: 3 }])
    })
  })

  test('a connection keeps a limited number of them, and closes the least recently used one', async () => {
    await db.transaction(async (tx) => {
      const often = () => tx.execute<{ often: number }>(sql`select ${1}::int as often`)
      await often()
      const [first] = await prepared(tx, 'select $1::int as often')
      for (let n = 0; n < 2 * MAX_PREPARED; n++) {
        const [row] = await tx.execute(sql`select ${n}::int as ${sql.raw(`seldom_${n}`)}`)
        expect(row).toEqual({ [`seldom_${n}`]: n })
        if (n % 50 === 0) await often()
      }
      const kept = await prepared(tx, '%')
      // The driver closes a surplus statement together with the next one that it sends.
      expect(kept.length).toBeWithin(MAX_PREPARED, MAX_PREPARED + 2)
      expect(kept).toContainEqual(expect.objectContaining({ name: first!.name }))
    })
  })

  test('a migration beside the server: its statements are prepared anew, in transactions too', async () => {
    await db.execute(sql.raw('create table migrated (a int); insert into migrated values (1)'))
    const read = (on: Db) => on.execute(sql`select * from migrated where a > ${0}`)
    await everywhere(async (tx) => void (await read(tx)))
    await db.execute(sql.raw('alter table migrated add b int default 2'))
    expect([...(await read(db))]).toEqual([{ a: 1, b: 2 }])
    await everywhere(async (tx) => void (await read(tx)))
    await db.execute(sql.raw('alter table migrated add c int default 3'))
    let runs = 0
    const rows = await transaction(ctx, (tx) => {
      runs++
      return read(tx.db)
    })
    expect([...rows]).toEqual([{ a: 1, b: 2, c: 3 }])
    expect(runs).toBe(2)
    // After this one failure, every connection prepares its statements anew.
    expect(await everywhere(async (tx) => (await read(tx)).length)).toContain(1)
  })

  test('a statement that is prepared anew mixes no answers up, whatever its connection has sent meanwhile', async () => {
    // One connection, as an embedded database has.
    const { databaseUrl } = ctx.config
    await using stack = new AsyncDisposableStack()
    const open = (url: string) => {
      const client = postgres(url, { max: 1 })
      stack.defer(() => client.end())
      return drizzle(prepareStatements(client))
    }
    const one: Db = databaseUrl === undefined ? db : open(databaseUrl)
    await one.execute(sql.raw('create table remade (a int); insert into remade values (1)'))
    const columns = ['a']
    for (const column of ['b', 'c', 'd', 'e']) {
      const read = () => one.execute(sql`select * from remade where a > ${0}`)
      await Promise.all([read(), one.execute(sql`select ${column} as known`)])
      await one.execute(sql.raw(`alter table remade add ${column} int default 1`))
      columns.push(column)
      const remade = Object.fromEntries(columns.map((name) => [name, 1]))
      // The second of each three is described before it is bound, with others on their way.
      const answers = await Promise.all(
        Array.from({ length: 5 }, (_, n) => [
          read(),
          one.execute(sql`select ${n}::int as ${sql.raw(`new_${column}_${n}`)}`),
          one.execute(sql`select ${column} as known`),
        ]).flat(),
      )
      expect(answers.map((rows) => [...rows])).toEqual(
        Array.from({ length: 5 }, (_, n) => [
          [remade],
          [{ [`new_${column}_${n}`]: n }],
          [{ known: column }],
        ]).flat(),
      )
    }
  })
})

describe('a transaction', () => {
  const scene = async (stack: AsyncDisposableStack) => {
    const table = `marks_${crypto.randomUUID().slice(0, 8)}`
    await db.execute(sql.raw(`create table ${table} (n int unique deferrable initially deferred)`))
    stack.defer(async () => void (await db.execute(sql.raw(`drop table ${table}`))))
    return {
      mark: (on: Db, n: number) => on.execute(sql`insert into ${sql.raw(table)} values (${n})`),
      marks: async () =>
        (await db.execute<{ n: number }>(sql.raw(`select n from ${table} order by n`))).map(({ n }) => n),
    }
  }
  /** Nothing that went wrong before is left on any connection. */
  const isClean = async () => {
    const [row] = await db.execute<{ open: number }>(
      sql.raw(`
      select count(*)::int as open from pg_stat_activity
      where datname = current_database() and state like 'idle in transaction%'`),
    )
    expect(row!.open).toBe(0)
    await Promise.all(Array.from({ length: 20 }, (_, n) => db.execute(sql`select ${n}::int`)))
  }

  test('begins with its first statements, also when they are sent at once', async () => {
    await using stack = new AsyncDisposableStack()
    const { mark, marks } = await scene(stack)
    const undone = db.transaction(async (tx) => {
      const [first, second] = await Promise.all([backend(tx), backend(tx), mark(tx, 1), mark(tx, 2)])
      expect(second).toBe(first)
      throw new Error('the end of the work')
    })
    await expect(undone).rejects.toThrow('the end of the work')
    expect(await marks()).toEqual([])
    await isClean()
  })

  test('without a statement needs no database', async () => {
    expect(await db.transaction(async () => 'nothing')).toBe('nothing')
    await expect(db.transaction(() => Promise.reject(new Error('nothing')))).rejects.toThrow('nothing')
  })

  test('whose first statement fails, or is refused by the driver, leaves nothing', async () => {
    await using stack = new AsyncDisposableStack()
    const { mark, marks } = await scene(stack)
    const failing = [
      sql`select 1 / ${0}::int`,
      sql`select ${sql.param(undefined)}::text`,
      sql`no ${1} statement`,
    ]
    for (const first of failing) {
      const undone = db.transaction(async (tx) => {
        await tx.execute(first).catch(() => {})
        await mark(tx, 1)
      })
      await expect(undone).rejects.toThrow()
    }
    expect(await marks()).toEqual([])
    await isClean()
  })

  test('commits with its last statement', async () => {
    await using stack = new AsyncDisposableStack()
    const { mark, marks } = await scene(stack)
    for (const n of [1, 2, 3]) {
      await db.transaction(async (tx) => {
        await mark(tx, n)
        commitWithNext(tx)
        await mark(tx, n + 10)
      })
    }
    expect(await marks()).toEqual([1, 2, 3, 11, 12, 13])
    await isClean()
  })

  test('is rolled back when its last statement or its commit fails', async () => {
    await using stack = new AsyncDisposableStack()
    const { mark, marks } = await scene(stack)
    const last = (statement: (tx: Db) => Promise<unknown>) =>
      db.transaction(async (tx) => {
        await mark(tx, 1)
        commitWithNext(tx)
        await statement(tx)
      })
    await expect(last(async (tx) => tx.execute(sql`select 1 / ${0}::int`))).rejects.toThrow()
    await expect(last(async (tx) => tx.execute(sql`select ${sql.param(undefined)}::text`))).rejects.toThrow()
    // The COMMIT checks the constraint.
    await expect(last((tx) => mark(tx, 1))).rejects.toMatchObject({ cause: { code: '23505' } })
    expect(await marks()).toEqual([])
    await isClean()
  })

  test('takes nothing after its commit', async () => {
    await using stack = new AsyncDisposableStack()
    const { mark, marks } = await scene(stack)
    const late = db.transaction(async (tx) => {
      commitWithNext(tx)
      await mark(tx, 1)
      await mark(tx, 2)
    })
    await expect(late).rejects.toMatchObject({ cause: { code: 'TRANSACTION_ENDED' } })
    expect(await marks()).toEqual([1])
    await isClean()
  })

  test('whose events can’t be stored has changed nothing', async () => {
    const owner = await makeUser(server)
    const undone = transaction(ctx, async (tx) => {
      await tx.db.update(users).set({ bio: 'changed' }).where(eq(users.id, owner.user.id))
      tx.emit(owner.user.id, 'user.updated', { fields: ['bio'] })
      tx.emit(2_000_000_000, 'user.updated', { fields: ['bio'] })
    })
    await expect(undone).rejects.toThrow()
    const [row] = await db.select().from(users).where(eq(users.id, owner.user.id))
    expect(row!.bio).toBe(owner.user.bio)
    expect(await channelHead(ctx, owner.user.id)).toBe(0)
    expect(await readEvents(ctx, owner.user.id, 0, 10)).toEqual([])
    await isClean()
  })

  test('at the same time as many others keeps numbers without gaps', async () => {
    const owner = await makeUser(server)
    await Promise.all(
      Array.from({ length: 60 }, (_, n) =>
        transaction(ctx, async (tx) => {
          await tx.db
            .update(users)
            .set({ bio: `${n}` })
            .where(eq(users.id, owner.user.id))
          tx.emit(owner.user.id, 'user.updated', { fields: [`${n}`] })
          if (n % 3 === 0) throw new Error('undone')
        }).catch(() => {}),
      ),
    )
    const seqs = (await readEvents(ctx, owner.user.id, 0, 100)).map(({ seq }) => seq)
    expect(seqs).toEqual(Array.from({ length: 40 }, (_, n) => n + 1))
  })
})
