/** The move from balances on users to the double-entry ledger (migration 0015): nothing is lost. */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { checkLedger } from '../../../src/core/reconciliation/check.ts'
import { type Database, openDatabase } from '../../../src/db/client.ts'
import { migrateTo, migrations } from '../../../src/db/migrations.ts'
import { createLogger } from '../../../src/util/logger.ts'
import { freshParts } from '../../support/server.ts'

/** The schema of the release before this ledger. */
const BEFORE = migrations().findIndex(({ name }) => name === '0014_operation') + 1

const uuids = Array.from({ length: 20 }, () => Bun.randomUUIDv7())
const [redemption, capturedTask] = [Bun.randomUUIDv7(), Bun.randomUUIDv7()]

/** `balance` and `held` as the columns had them, `tasks` with the held amounts of unfinished tasks, `entries` with the amounts. */
const USERS: { name: string; balance: number; held: number; tasks: number[]; entries: [string, number][] }[] =
  [
    { name: 'empty', balance: 0, held: 0, tasks: [], entries: [] },
    {
      name: 'usual',
      balance: 1350,
      held: 300,
      tasks: [100, 0, 200],
      entries: [
        ['adjustment', 1000],
        ['recharge', 500],
        ['capture', -150],
      ],
    },
    {
      name: 'lowered',
      balance: 40,
      held: 0,
      tasks: [],
      entries: [
        ['adjustment', 90],
        ['adjustment', -50],
      ],
    },
    { name: 'more than booked', balance: 700, held: 0, tasks: [], entries: [['adjustment', 200]] },
    { name: 'less than booked', balance: 100, held: 30, tasks: [30], entries: [['adjustment', 200]] },
    {
      name: 'holds over the balance',
      balance: 100,
      held: 150,
      tasks: [80, 70],
      entries: [['adjustment', 100]],
    },
    {
      name: 'in debt',
      balance: -50,
      held: 30,
      tasks: [30],
      entries: [
        ['adjustment', 200],
        ['capture', -250],
      ],
    },
    { name: 'another sum of holds', balance: 500, held: 999, tasks: [120], entries: [['adjustment', 500]] },
  ]

let database: Database
let remove: () => Promise<void>
beforeAll(async () => {
  const parts = await freshParts()
  remove = parts.remove
  const { DATA_DIR: dataDir, DATABASE_URL: databaseUrl } = parts.env
  database = await openDatabase({ dataDir: dataDir!, databaseUrl }, createLogger('silent'))
  await database.db.transaction(async (db) => {
    await db.execute(sql.raw('drop schema drizzle, public cascade'))
    await db.execute(sql.raw('create schema public'))
    await migrateTo(db, BEFORE)
    let entry = 0
    for (const [n, { name, balance, held, tasks, entries }] of USERS.entries()) {
      const id = n + 1
      await db.execute(sql`
        insert into users (id, uuid, username, display_name, email, password_hash, balance_minor, held_minor)
        values (${id}, ${uuids[n]}, ${name}, ${name}, ${name}, 'x', ${balance}, ${held})`)
      for (const [kind, amount] of entries) {
        const reference = { recharge: redemption, capture: capturedTask }[kind] ?? null
        const by = kind === 'adjustment' ? 7 : null
        await db.execute(sql`
          insert into ledger_entries (user_id, kind, amount_minor, reference, created_by, created_at)
          values (${id}, ${kind}, ${amount}, ${reference}, ${by},
            timestamptz '2026-01-01T00:00:00.123Z' + make_interval(hours => ${entry++}))`)
      }
      for (const amount of tasks)
        await db.execute(sql`
          insert into tasks (uuid, user_id, kind, title, status, held_minor)
          values (gen_random_uuid(), ${id}, 'gpu', 't', ${amount === 200 ? 'running' : 'pending'}, ${amount})`)
      await db.execute(sql`
        insert into tasks (uuid, user_id, kind, title, status, cost_minor)
        values (gen_random_uuid(), ${id}, 'gpu', 'ended', 'completed', 5)`)
    }
    await db.execute(sql`create table kept as select * from ledger_entries`)
    await migrateTo(db, migrations().length)
  })
})
afterAll(async () => {
  await database.close()
  await remove()
})

const rows = async (text: ReturnType<typeof sql>) =>
  [...(await database.db.execute(text))].map((row) => ({ ...row }))

test('balances and holds are those of before; a debt is written off, and holds fit into the balance', async () => {
  const found = await rows(sql`
    select u.username as name, a.balance_minor::int as available, h.balance_minor::int as held,
      (select coalesce(sum(held_minor), 0)::int from tasks t where t.user_id = u.id) as "byTasks"
    from users u join ledger_accounts a on a.user_id = u.id and a.kind = 'available'
      join ledger_accounts h on h.user_id = u.id and h.kind = 'held' order by u.id`)
  expect(found).toEqual(
    USERS.map(({ name, balance, tasks }) => {
      const has = Math.max(balance, 0)
      const held = Math.min(
        has,
        tasks.reduce((sum, amount) => sum + amount, 0),
      )
      return { name, available: has - held, held, byTasks: held }
    }),
  )
  expect(
    await rows(
      sql`select held_minor::int as held from tasks where user_id = 6 and status = 'pending' order by id`,
    ),
  ).toEqual([{ held: 80 }, { held: 20 }])
})

test('each entry of before is a transfer of its amount, with its time, reference and creator', async () => {
  const found = await rows(sql`
    select substr(t.key, 7)::int as id, e.user_id, t.kind, (case e.side when 'credit' then e.amount_minor else -e.amount_minor end)::int as amount,
      o.account as other, t.reference, t.created_by, t.created_at::text as at
    from ledger_transfers t join ledger_entries e on e.transfer_id = t.id and e.user_id is not null
      join ledger_entries o on o.transfer_id = t.id and o.user_id is null
    where t.key like 'entry:%' order by e.id`)
  const kept = await rows(sql`
    select id, user_id, case kind when 'recharge' then 'redemption' else kind end as kind, amount_minor::int as amount,
      case kind when 'capture' then 'revenue' else kind end as other, reference, created_by, created_at::text as at
    from kept order by id`)
  expect(kept).toHaveLength(USERS.flatMap(({ entries }) => entries).length)
  expect(found).toEqual(kept)
})

test('the entries add up to the balances: what was not booked before is one adjustment, and each hold has a transfer', async () => {
  const check = await checkLedger(database.db)
  expect(check).toMatchObject({ differences: 0, found: [] })
  expect(check.debitMinor).toBe(check.creditMinor)
  const openings = await rows(sql`
    select e.user_id as id, (case e.side when 'credit' then e.amount_minor else -e.amount_minor end)::int as amount
    from ledger_transfers t join ledger_entries e on e.transfer_id = t.id and e.user_id is not null
    where t.key like 'opening:%' order by 1`)
  expect(openings).toEqual([
    { id: 4, amount: 500 },
    { id: 5, amount: -100 },
    { id: 7, amount: 50 },
  ])
  const holds = await rows(sql`
    select t.key = 'task:' || k.uuid || ':1:hold' as named, t.reference = k.uuid as referred from ledger_transfers t
      join ledger_entries e on e.transfer_id = t.id and e.account = 'held' and e.side = 'credit'
      join tasks k on k.held_minor = e.amount_minor and k.user_id = e.user_id and t.reference = k.uuid
    where t.kind = 'hold'`)
  expect(holds).toEqual(Array(6).fill({ named: true, referred: true }))
})
