/** Whole minor units, a hold for each unfinished task, and a ledger whose sum is the balance. */
import { afterAll, describe, expect, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import { SERVER } from '../../../src/core/audit/audit.ts'
import { readEvents } from '../../../src/core/channel/log.ts'
import { toMajor, toMinor } from '../../../src/core/money/amounts.ts'
import { adjustBalance, endHold, estimatedCost, hold, runningCost } from '../../../src/core/money/ledger.ts'
import { updateSystemConfig } from '../../../src/core/system/settings.ts'
import { failure } from '../../../src/core/tasks/failures.ts'
import { type Ending, settleTask } from '../../../src/core/tasks/settlement.ts'
import { transaction } from '../../../src/core/transaction.ts'
import { tasks } from '../../../src/db/schema/index.ts'
import { makeTask, makeUser, type TestUser } from '../../support/factories.ts'
import { moneyOf, transfersOf } from '../../support/ledger.ts'
import { startServer } from '../../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())
const { ctx } = server
await updateSystemConfig(ctx, SERVER, { taskPrices: { paid: 10 } })

const money = ({ user }: TestUser) => moneyOf(server, user.id)
/** Without the balance that the test began with. */
const bookings = async ({ user }: TestUser) => (await transfersOf(server, user.id)).slice(1)
const aTry = (submission = 1) => ({ uuid: Bun.randomUUIDv7(), submission })

describe('amounts', () => {
  test.each([
    [0.01, 1],
    [0.29, 29],
    [1.1, 110],
    [19.99, 1999],
    [100.5, 10_050],
    [1234.56, 123_456],
    [999_999_999.99, 99_999_999_999],
    [0.1 + 0.2, 30],
  ])('%p is %p minor units, and back', (major, minor) => {
    expect(toMinor(major)).toBe(minor)
    expect(toMajor(minor)).toBe(Number(major.toFixed(2)))
  })

  test('the hold is for the estimated minutes, or for half an hour without an estimate', () => {
    expect([estimatedCost(7, 3), estimatedCost(7, null), estimatedCost(0, 100)]).toEqual([21, 210, 0])
  })

  test('the cost of running is rounded up to a whole minor unit', () => {
    expect([0, 1, 6000, 6001, 60_000].map((ms) => runningCost(10, ms))).toEqual([0, 1, 1, 2, 10])
    expect(runningCost(0, 1e9)).toBe(0)
  })
})

describe('a hold', () => {
  const take = (owner: TestUser, amount: number, task = aTry()) =>
    transaction(ctx, (tx) => hold(tx, owner.user.id, task, amount))

  test('can take the whole balance, and not one minor unit more', async () => {
    const owner = await makeUser(server, { balanceMinor: 100 })
    await take(owner, 60)
    await expect(take(owner, 41)).rejects.toMatchObject({ code: 'INSUFFICIENT_BALANCE' })
    await take(owner, 40)
    await take(owner, 0)
    expect(await money(owner)).toEqual({ balance: 100, held: 100 })
  })

  test('many at once never take more than the balance', async () => {
    const owner = await makeUser(server, { balanceMinor: 100 })
    const outcomes = await Promise.allSettled(Array.from({ length: 15 }, () => take(owner, 30)))
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBe(3)
    expect(await money(owner)).toEqual({ balance: 100, held: 90 })
  })

  test('is rolled back with its transaction', async () => {
    const owner = await makeUser(server, { balanceMinor: 100 })
    const undone = transaction(ctx, async (tx) => {
      const task = { ...aTry(), userId: owner.user.id, heldMinor: 50 }
      await hold(tx, owner.user.id, task, 50)
      await endHold(tx, task, 20)
      throw new Error('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    expect(await money(owner)).toEqual({ balance: 100, held: 0 })
    expect(await bookings(owner)).toEqual([])
    expect(await readEvents(ctx, owner.user.id, 0, 10)).toEqual([])
  })
})

describe('the end of a task', () => {
  /** Ends a task that has run for `ranSeconds`, at 10 minor units a minute and with a hold for five minutes. */
  async function ended(ranSeconds: number | undefined, ending: Ending) {
    const owner = await makeUser(server, { balanceMinor: 1000 })
    const { uuid, id } = await makeTask(server, owner, { taskType: 'paid', estimatedMinutes: 5 } as never)
    expect(await money(owner)).toEqual({ balance: 1000, held: 50 })
    if (ranSeconds !== undefined) {
      const attemptStartedAt = new Date(Date.now() - ranSeconds * 1000)
      await ctx.db.update(tasks).set({ status: 'running', attemptStartedAt }).where(eq(tasks.id, id))
    }
    const task = await transaction(ctx, async (tx) => {
      const [row] = await tx.db.select().from(tasks).where(eq(tasks.id, id)).for('update')
      return settleTask(tx, row!, ending)
    })
    const booked = await bookings(owner)
    for (const { reference } of booked) expect(reference).toBe(uuid)
    return {
      cost: task.costMinor,
      booked: booked.map(({ kind, amount }) => [kind, amount]),
      money: await money(owner),
      owner,
      task,
    }
  }
  const completed: Ending = { status: 'completed', result: {} }

  // 87 s at 10 a minute cost 14.5, rounded up to 15; the test may take three seconds more or less.
  test.each<[string, number | undefined, Ending, number]>([
    ['that completed costs its time', 87, completed, 15],
    ['that ran longer than estimated costs its hold', 6000, completed, 50],
    ['that failed costs its time', 87, { status: 'failed', failure: failure('node_silent') }, 15],
    ['that was cancelled costs its time', 87, { status: 'cancelled' }, 15],
    [
      'whose node was lost costs nothing',
      87,
      { status: 'failed', failure: failure('node_silent'), charge: false },
      0,
    ],
    ['that was cancelled before it ran costs nothing', undefined, { status: 'cancelled' }, 0],
    ['that began in the future, by a wrong clock, costs nothing', -60, completed, 0],
  ])('%s', async (_, seconds, ending, cost) => {
    const { money, ...end } = await ended(seconds, ending)
    expect(end.cost).toBe(cost)
    expect(end.booked).toEqual(
      [
        ['hold', -50],
        ['release', 50 - cost],
        ['capture', -cost],
      ].filter(([, amount]) => amount !== 0 && !Object.is(amount, -0)),
    )
    expect(money).toEqual({ balance: 1000 - cost, held: 0 })
  })

  test('every transfer emits an event with the balances after it', async () => {
    const { owner } = await ended(87, completed)
    const events = await readEvents(ctx, owner.user.id, 0, 10)
    expect(
      events.filter(({ type }) => type === 'balance.changed').map(({ data }) => JSON.parse(data)),
    ).toEqual([
      { balance: 10, available_balance: 9.5, reason: 'hold' },
      { balance: 10, available_balance: 9.85, reason: 'release' },
      { balance: 9.85, available_balance: 9.85, reason: 'capture' },
    ])
    expect(events.map(({ type }) => type).slice(0, 2)).toEqual(['task.created', 'balance.changed'])
  })

  test('happens once: a second one changes nothing', async () => {
    const { owner, task } = await ended(87, completed)
    const again = transaction(ctx, (tx) => settleTask(tx, task, { status: 'cancelled' }))
    await expect(again).rejects.toMatchObject({ code: 'INVALID_STATE' })
    expect(await money(owner)).toEqual({ balance: 985, held: 0 })
  })
})

test('concurrent adjustments leave the balance that the last of them set, and entries that add up to it', async () => {
  const owner = await makeUser(server, { balanceMinor: 500 })
  await Promise.all(
    [100, 700, 0, 250, 250].map((balanceMinor) =>
      transaction(ctx, (tx) => adjustBalance(tx, { userId: owner.user.id, balanceMinor, createdBy: 1 })),
    ),
  )
  const { balance } = await money(owner)
  expect([100, 700, 0, 250]).toContain(balance)
  const entries = await transfersOf(server, owner.user.id)
  expect(entries.reduce((sum, { amount }) => sum + amount, 0)).toBe(balance)
})

test('a balance is the sum of its entries, and the held amount the sum of its tasks', async () => {
  const owner = await makeUser(server, { balanceMinor: 10_000 })
  for (let i = 0; i < 3; i++) await makeTask(server, owner, { taskType: 'paid' } as never)
  const [sums] = await ctx.db.execute(sql`
    select (select sum(held_minor)::int from tasks where user_id = ${owner.user.id}) as held,
      (select sum(case side when 'credit' then amount_minor else -amount_minor end)::int
        from ledger_entries where user_id = ${owner.user.id}) as balance`)
  expect({ ...sums }).toEqual({ balance: 10_000, held: 900 })
  expect(await money(owner)).toEqual({ balance: 10_000, held: 900 })
})
