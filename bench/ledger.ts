/** Transfers of the ledger against a bare transaction of three row writes, and the hourly check against reading every entry. */
import type postgres from 'postgres'
import type { Context } from '../src/core/context.ts'
import { endHold, hold } from '../src/core/money/ledger.ts'
import { postTransfers, transfer } from '../src/core/money/transfers.ts'
import { reconcile } from '../src/core/reconciliation/reconcile.ts'
import { transaction } from '../src/core/transaction.ts'
import { freshParts, type Kind, kinds } from './support/parts.ts'
import { seedUsers } from './support/seed.ts'
import { ratios, spread } from './support/stats.ts'
import { type Row, shown, shownWithSpread } from './support/table.ts'

const USERS = 40
const IN_FLIGHT = 8
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 7)
const ROUND_MS = 1000
const WARM_UP = 2
/** Of the database that the check reads. */
const TRANSFERS = Number(process.env.BENCH_TRANSFERS ?? 200_000)
const TRANSFERS_OF_ONE_STATEMENT = 5000

export async function ledger(): Promise<Row[]> {
  const rows: Row[] = []
  for (const kind of kinds()) rows.push(...(await measure(kind)))
  return rows
}

type Work = (userId: number) => Promise<unknown>

async function measure(kind: Kind): Promise<Row[]> {
  const parts = await freshParts(kind)
  try {
    return await parts.prepare(async (ctx) => {
      const users = (await seedUsers(ctx, USERS)).map(({ id }) => id)
      const driver = (ctx.db as unknown as { $client: postgres.Sql }).$client
      const floor = await bareTransaction(driver, users)
      const redeem: Work = (userId) =>
        transaction(ctx, (tx) =>
          transfer(tx, userId, {
            kind: 'redemption',
            amountMinor: 100,
            key: `redemption:${Bun.randomUUIDv7()}`,
          }),
        )
      const holdAndEnd: Work = (userId) =>
        transaction(ctx, async (tx) => {
          const task = { uuid: Bun.randomUUIDv7(), submission: 1, userId, heldMinor: 10 }
          await hold(tx, userId, task, 10)
          await endHold(tx, task, 4)
        })
      const subjects = [
        { name: 'a transfer with its event', work: redeem, target: 0.5 },
        { name: 'a hold, a release and a capture with their events, in one transaction', work: holdAndEnd },
      ]
      const rows: Row[] = []
      for (const { name, work, target } of subjects) {
        const [figures, floors]: number[][] = [[], []]
        for (let round = 1 - WARM_UP; round <= ROUNDS; round++) {
          const some = [await perSecond(floor, users), await perSecond(work, users)]
          if (round <= 0) continue
          floors!.push(some[0]!)
          figures!.push(some[1]!)
        }
        const ratio = ratios(figures!, floors!)
        rows.push({
          name: `ledger, ${kind}: ${name}; floor: a bare transaction of three row writes`,
          figure: shown(spread(figures!), '/s'),
          floor: shown(spread(floors!), '/s'),
          ratio: shownWithSpread(ratio),
          target: target === undefined ? '' : `>= ${target}`,
          ok: target === undefined ? undefined : ratio.median >= target,
        })
      }
      rows.push(await measureCheck(kind, ctx, driver, users))
      return rows
    })
  } finally {
    await parts.remove()
  }
}

/** Adds to a balance, and adds a row for each side, by the bare driver. */
async function bareTransaction(driver: postgres.Sql, users: number[]): Promise<Work> {
  await driver.unsafe(
    'create table bench_balances (user_id int primary key, balance bigint not null default 0)',
  )
  await driver.unsafe(
    'create table bench_entries (id bigserial primary key, transfer uuid not null, account int, amount bigint not null)',
  )
  for (const id of users) await driver`insert into bench_balances (user_id) values (${id})`
  return (userId) =>
    driver.begin(async (tx) => {
      const id = Bun.randomUUIDv7()
      await tx`update bench_balances set balance = balance + 100 where user_id = ${userId}`
      await tx`insert into bench_entries (transfer, account, amount) values (${id}, ${userId}, 100)`
      await tx`insert into bench_entries (transfer, account, amount) values (${id}, null, -100)`
    })
}

async function perSecond(work: Work, users: number[]): Promise<number> {
  const startedAt = performance.now()
  let done = 0
  const worker = async (first: number) => {
    for (let n = first; performance.now() - startedAt < ROUND_MS; n += IN_FLIGHT) {
      await work(users[n % users.length]!)
      done++
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, (_, n) => worker(n)))
  return (done * 1000) / (performance.now() - startedAt)
}

async function measureCheck(kind: Kind, ctx: Context, driver: postgres.Sql, users: number[]): Promise<Row> {
  for (let n = 0; n < TRANSFERS; n += TRANSFERS_OF_ONE_STATEMENT) {
    const transfers = Array.from({ length: TRANSFERS_OF_ONE_STATEMENT }, () => ({
      kind: 'redemption' as const,
      amountMinor: 1,
      key: `redemption:${Bun.randomUUIDv7()}`,
    }))
    await postTransfers(ctx.db, users[(n / TRANSFERS_OF_ONE_STATEMENT) % USERS]!, transfers)
  }
  await driver`analyze ledger_entries, ledger_transfers`
  const ms = async (work: () => PromiseLike<unknown>) => {
    const startedAt = performance.now()
    await work()
    return performance.now() - startedAt
  }
  const [figures, floors]: number[][] = [[], []]
  for (let round = 0; round < 5; round++) {
    floors!.push(
      await ms(() => driver`select sum(amount_minor), count(distinct transfer_id) from ledger_entries`),
    )
    figures!.push(await ms(() => reconcile(ctx)))
  }
  return {
    name: `ledger, ${kind}: the hourly check of ${TRANSFERS} transfers; floor: reading their entries and counting transfers`,
    figure: shown(spread(figures!), 'ms'),
    floor: shown(spread(floors!), 'ms'),
    ratio: shownWithSpread(ratios(figures!, floors!)),
    target: '',
    ok: undefined,
  }
}
