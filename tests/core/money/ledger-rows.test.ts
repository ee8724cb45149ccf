/** What the database refuses, whatever the code does (migration 0015), and the hourly check (docs/operations.md, "Money"). */
import { afterAll, describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { readEvents } from '../../../src/core/channel/log.ts'
import { postTransfers, transfer } from '../../../src/core/money/transfers.ts'
import { checkLedger } from '../../../src/core/reconciliation/check.ts'
import { reconcile } from '../../../src/core/reconciliation/reconcile.ts'
import { transaction } from '../../../src/core/transaction.ts'
import { ledgerChecks } from '../../../src/db/schema/index.ts'
import { api } from '../../support/api.ts'
import { makeTask, makeUser } from '../../support/factories.ts'
import { failureOf } from '../../support/failure.ts'
import { addMoney, balanceChangesOf, moneyOf } from '../../support/ledger.ts'
import { query, startServer } from '../../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())
const { ctx } = server
const owner = await makeUser(server, { balanceMinor: 500 })
const { id: userId } = owner.user

describe('the database refuses', () => {
  const [a, b] = [Bun.randomUUIDv7(), Bun.randomUUIDv7()]
  const transferRow = sql`insert into ledger_transfers (id, kind, key) values (${a}, 'adjustment', ${a})`
  const entry = (id: string, account: string, side: string, amount: number) =>
    sql`(${id}::uuid, ${['available', 'held'].includes(account) ? userId : null}::int, ${account}, ${side}, ${amount})`
  const withEntries = (...entries: ReturnType<typeof sql>[]) =>
    sql`with made as (${transferRow}) insert into ledger_entries (transfer_id, user_id, account, side, amount_minor)
      values ${sql.join(entries, sql`, `)}`

  test.each<[string, ReturnType<typeof sql>, string]>([
    ['a change of a transfer', sql`update ledger_transfers set kind = 'hold'`, 'can only be added'],
    ['a change of an entry', sql`update ledger_entries set amount_minor = 1`, 'can only be added'],
    ['the deletion of transfers', sql`delete from ledger_transfers`, 'can only be added'],
    ['the deletion of entries', sql`delete from ledger_entries`, 'can only be added'],
    ['emptying the tables', sql`truncate ledger_entries, ledger_transfers`, 'can only be added'],
    ['a transfer without entries', transferRow, 'a debit and a credit'],
    ['a transfer with one entry', withEntries(entry(a, 'available', 'credit', 5)), 'a debit and a credit'],
    [
      'a transfer whose entries differ',
      withEntries(entry(a, 'available', 'credit', 5), entry(a, 'adjustment', 'debit', 6)),
      'a debit and a credit',
    ],
    [
      'a transfer with two credits',
      withEntries(entry(a, 'available', 'credit', 5), entry(a, 'adjustment', 'credit', 5)),
      'ledger_entries_side',
    ],
    [
      'entries without a transfer',
      withEntries(entry(b, 'available', 'credit', 5), entry(b, 'adjustment', 'debit', 5)),
      'ledger_entries_transfer_id',
    ],
    [
      'an amount below zero',
      withEntries(entry(a, 'available', 'credit', -5), entry(a, 'adjustment', 'debit', -5)),
      'ledger_entries_positive',
    ],
    ['a balance below zero', sql`update ledger_accounts set balance_minor = -1`, 'not_negative'],
    ['the deletion of a user with entries', sql`delete from users where id = ${userId}`, 'violates'],
  ])('%s', async (_, text, reason) => {
    const error = await query(server, text).then(
      () => undefined,
      (refused) => refused,
    )
    expect(String(error?.cause ?? error)).toContain(reason)
    expect(await moneyOf(server, userId)).toEqual({ balance: 500, held: 0 })
  })
})

describe('a transfer', () => {
  test('whose key is taken changes nothing and says so, at once and later', async () => {
    const { user } = await makeUser(server)
    const input = { kind: 'redemption', amountMinor: 700, key: `redemption:${Bun.randomUUIDv7()}` } as const
    const pay = () => transaction(ctx, (tx) => transfer(tx, user.id, input))
    const answers = await Promise.all(Array.from({ length: 10 }, pay))
    answers.push(await pay())
    expect(answers.filter(({ isRepeated }) => !isRepeated)).toHaveLength(1)
    for (const { balanceMinor, availableMinor } of answers)
      expect([balanceMinor, availableMinor]).toEqual([700, 700])
    expect(await balanceChangesOf(server, user.id)).toHaveLength(1)
    expect(await readEvents(ctx, user.id, 0, 20)).toHaveLength(1)
  })

  test('that is repeated when the money is spent is still only repeated', async () => {
    const { user } = await makeUser(server, { balanceMinor: 100 })
    const hold = { kind: 'hold', amountMinor: 100, key: `task:${Bun.randomUUIDv7()}:1:hold` } as const
    for (const made of [1, 0]) expect((await postTransfers(ctx.db, user.id, [hold])).made).toHaveLength(made)
    const release = { kind: 'release', amountMinor: 100, key: `${hold.key}:end` } as const
    await postTransfers(ctx.db, user.id, [release])
  })

  test.each([0, -1, 0.5, Number.NaN, 2 ** 53])('of %p is refused', async (amountMinor) => {
    const input = { kind: 'redemption', amountMinor, key: 'redemption:none' } as const
    await expect(postTransfers(ctx.db, userId, [input])).rejects.toThrow('Not an amount')
  })

  test('of nobody is refused', async () => {
    const input = { kind: 'redemption', amountMinor: 1, key: 'redemption:nobody' } as const
    await expect(postTransfers(ctx.db, 2_000_000_000, [input])).rejects.toThrow('no accounts')
    expect(await query(server, sql`select 1 from ledger_transfers where key = 'redemption:nobody'`)).toEqual(
      [],
    )
  })
})

describe('the hourly check', () => {
  const health = async () => (await api(server, 'GET', '/api/v1/infra/health')).body
  const damage = (text: ReturnType<typeof sql>) =>
    ctx.db.transaction(async (tx) => {
      await tx.execute(sql`set local session_replication_role = replica`)
      await tx.execute(text)
    })

  test('finds nothing in a whole ledger, and health shows it', async () => {
    const check = await reconcile(ctx)
    expect(check).toMatchObject({ differences: 0, found: [] })
    expect(check.debitMinor).toBe(check.creditMinor)
    expect((await health()).ledger).toEqual({
      status: 'healthy',
      checked_at: check.at.toISOString(),
      trial_balance: 0,
      differences: 0,
    })
  })

  test('in steps finds what one step finds, also while transfers are made', async () => {
    const users = await Promise.all([0, 1, 2].map(() => makeUser(server, { balanceMinor: 100 })))
    const ids = users.map(({ user }) => user.id)
    await addMoney(server, ids[1]!, ...Array.from({ length: 20 }, (_, n) => n + 1))
    expect(await checkLedger(ctx.db, { step: 3 })).toEqual(await checkLedger(ctx.db))
    const move = async (id: number) => {
      for (let n = 0; n < 10; n++) await addMoney(server, id, 5, -3)
    }
    const [check] = await Promise.all([checkLedger(ctx.db, { step: 3 }), ...ids.map(move)])
    expect(check).toMatchObject({ differences: 0, found: [] })
    expect(check.debitMinor).toBe(check.creditMinor)
  })

  test('ends before its next step when the server stops, and stores nothing', async () => {
    const before = await ctx.db.$count(ledgerChecks)
    const stop = new AbortController()
    const check = reconcile(ctx, stop.signal)
    // The first statement is under way.
    stop.abort()
    expect(await failureOf(check)).toBe(stop.signal.reason)
    expect(await ctx.db.$count(ledgerChecks)).toBe(before)
  })

  test('finds each kind of difference, tells administrators once, and health is 503', async () => {
    const admin = await makeUser(server, { role: 'admin' })
    const victim = await makeUser(server, { balanceMinor: 50 })
    const { id } = victim.user
    const task = await makeTask(server, victim)
    await query(
      server,
      sql`update ledger_accounts set balance_minor = 60 where user_id = ${id} and kind = 'available'`,
    )
    await query(server, sql`update tasks set held_minor = 7 where id = ${task.id}`)
    const [lone] = await query(
      server,
      sql`select transfer_id as id from ledger_entries where user_id = ${userId} and side = 'credit' limit 1`,
    )
    await damage(sql`delete from ledger_entries where transfer_id = ${lone!.id} and side = 'debit'`)
    const orphan = Bun.randomUUIDv7()
    await damage(
      sql`insert into ledger_entries (transfer_id, account, side, amount_minor) values (${orphan}, 'revenue', 'credit', 9)`,
    )
    const check = await reconcile(ctx)
    expect(check.found).toEqual([
      { what: 'account', name: `${id}:available`, storedMinor: 60, foundMinor: 50 },
      { what: 'hold', name: `${id}:held`, storedMinor: 0, foundMinor: 7 },
      { what: 'transfer', name: String(lone!.id), storedMinor: 0, foundMinor: 500 },
      { what: 'transfer', name: orphan, storedMinor: 0, foundMinor: 9 },
    ])
    expect(await checkLedger(ctx.db, { step: 3 })).toEqual(await checkLedger(ctx.db))
    expect(await health()).toMatchObject({
      status: 'unhealthy',
      ledger: { status: 'unhealthy', differences: 4, trial_balance: 5.09 },
    })
    await reconcile(ctx)
    const told = await readEvents(ctx, admin.user.id, 0, 10)
    expect(told.map(({ type, data }) => [type, JSON.parse(data).differences])).toEqual([
      ['ledger.unbalanced', 4],
    ])
    expect(await readEvents(ctx, id, 0, 10)).not.toContainEqual(
      expect.objectContaining({ type: 'ledger.unbalanced' }),
    )
  })
})
