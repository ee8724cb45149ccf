/**
 * Whatever is redeemed, held, captured, released and adjusted, at once and with crashes between any two statements: no balance is
 * below zero, and the ledger adds up to what the changes that succeeded said.
 */
import { afterAll, expect, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import * as fc from 'fast-check'
import { updateAccount } from '../../../src/core/accounts/administration.ts'
import type { Principal } from '../../../src/core/accounts/principals.ts'
import { SERVER } from '../../../src/core/audit/audit.ts'
import type { Tx } from '../../../src/core/context.ts'
import { AppError } from '../../../src/core/errors.ts'
import { answerOnce } from '../../../src/core/idempotency/answers.ts'
import { adjustBalance } from '../../../src/core/money/ledger.ts'
import { transfer } from '../../../src/core/money/transfers.ts'
import { createCodes, drawCodes } from '../../../src/core/recharge/create.ts'
import { redeemCode } from '../../../src/core/recharge/redeem.ts'
import { checkLedger } from '../../../src/core/reconciliation/check.ts'
import { updateSystemConfig } from '../../../src/core/system/settings.ts'
import { createTask } from '../../../src/core/tasks/create.ts'
import { failure } from '../../../src/core/tasks/failures.ts'
import { loseAttempts } from '../../../src/core/tasks/lost-attempts.ts'
import type { Task } from '../../../src/core/tasks/rows.ts'
import { type Ending, settleTask } from '../../../src/core/tasks/settlement.ts'
import { cancelTask, deleteTask, retryTask } from '../../../src/core/tasks/tasks.ts'
import { transaction } from '../../../src/core/transaction.ts'
import { deleteUser } from '../../../src/core/user-deletion/delete.ts'
import { isOwnerDeleted } from '../../../src/db/errors.ts'
import { tasks } from '../../../src/db/schema/index.ts'
import { actorOf } from '../../support/actors.ts'
import { makeNode, makeUser, type TestUser } from '../../support/factories.ts'
import { moneyOf } from '../../support/ledger.ts'
import { Random } from '../../support/random.ts'
import { startServer } from '../../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())
const { ctx } = server
/** Minor units per minute. */
const PRICE = 10
await updateSystemConfig(ctx, SERVER, { taskPrices: { paid: PRICE } })
const isReal = Boolean(process.env.TEST_DATABASE_URL)

type Crash = { kind: 'throw' | 'connection'; before: number } | undefined
type Op = { crash: Crash } & (
  | { do: 'redeem'; code: number }
  | { do: 'create'; minutes: number }
  | { do: 'end'; slot: number; as: 'completed' | 'failed' | 'lost' | 'cancelled'; seconds: number }
  | { do: 'retry'; slot: number }
  | { do: 'adjust'; to: number }
)

const slot = fc.nat(3)
const crash: fc.Arbitrary<Crash> = fc.option(
  fc.record({ kind: fc.constantFrom('throw' as const, 'connection' as const), before: fc.nat(5) }),
  { nil: undefined, freq: 3 },
)
const op: fc.Arbitrary<Op> = fc.oneof(
  fc.record({ do: fc.constant('redeem' as const), code: fc.nat(5), crash }),
  fc.record({ do: fc.constant('create' as const), minutes: fc.integer({ min: 1, max: 9 }), crash }),
  fc.record({
    do: fc.constant('end' as const),
    slot,
    as: fc.constantFrom('completed' as const, 'failed' as const, 'lost' as const, 'cancelled' as const),
    seconds: fc.constantFrom(3, 57, 63, 301, 10_000),
    crash,
  }),
  fc.record({ do: fc.constant('retry' as const), slot, crash }),
  fc.record({ do: fc.constant('adjust' as const), to: fc.constantFrom(0, 1, 99, 500), crash }),
)
/** The changes of a round are made at once, one round after the other. */
const rounds = fc.array(fc.array(op, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 6 })

interface World {
  owner: TestUser
  who: Principal
  /** Keys of redemptions, by the number of their code. */
  codes: string[]
  tasks: number[]
  /** What the changes that succeeded add up to. */
  balance: number
}

/** Only these may refuse a change; a crash has an error of its own. */
const REFUSALS = ['INSUFFICIENT_BALANCE', 'BALANCE_HELD', 'INVALID_STATE', 'TASK_LIMIT_EXCEEDED', 'NOT_FOUND']

/** Ends the transaction before its `before`th statement: by an error, or by the end of its connection. */
function crashIn(tx: Tx, crash: NonNullable<Crash>, onCrash: () => void): void {
  const { client } = (
    tx.db as unknown as { session: { client: { unsafe: (...args: unknown[]) => unknown } } }
  ).session
  const { unsafe } = client
  let n = 0
  client.unsafe = (...args) => {
    if (n++ !== crash.before) return unsafe(...args)
    onCrash()
    if (crash.kind === 'throw' || !isReal) throw new Error('crashed')
    return unsafe('select pg_terminate_backend(pg_backend_pid())', [], {})
  }
}

async function perform(tx: Tx, world: World, op: Op): Promise<number> {
  const userId = world.owner.user.id
  if (op.do === 'redeem') {
    const amountMinor = 100 * (op.code + 1)
    const key = world.codes[op.code]!
    const { isRepeated } = await transfer(tx, userId, { kind: 'redemption', amountMinor, key })
    return isRepeated ? 0 : amountMinor
  }
  if (op.do === 'create') {
    const input = { kind: 'gpu', title: 't', taskType: 'paid', estimatedMinutes: op.minutes } as const
    const { id } = await createTask(tx, userId, input)
    tx.afterCommit(() => world.tasks.push(id))
    return 0
  }
  if (op.do === 'adjust')
    return op.to - (await adjustBalance(tx, { userId, balanceMinor: op.to, createdBy: userId }))
  const id = world.tasks[op.slot % Math.max(world.tasks.length, 1)]
  if (id === undefined) return 0
  if (op.do === 'retry') {
    await retryTask(tx, actorOf(world.owner), id)
    return 0
  }
  const [task] = await tx.db.select().from(tasks).where(eq(tasks.id, id)).for('update')
  const attemptStartedAt = sql`now() - make_interval(secs => ${op.seconds})`
  await tx.db
    .update(tasks)
    .set({ attemptStartedAt, ...(task!.status === 'pending' && { status: 'running' }) })
    .where(eq(tasks.id, id))
  const running = { ...task!, status: task!.status === 'pending' ? ('running' as const) : task!.status }
  const ended = await settleTask(tx, running, endingOf(op.as))
  const cost = ended.costMinor - task!.costMinor
  expect(cost).toBe(op.as === 'lost' ? 0 : Math.min(task!.heldMinor, Math.ceil((PRICE * op.seconds) / 60)))
  return -cost
}

const endingOf = (as: (Op & { do: 'end' })['as']): Ending =>
  as === 'completed'
    ? { status: 'completed', result: {} }
    : as === 'cancelled'
      ? { status: 'cancelled' }
      : { status: 'failed', failure: failure('node_silent'), charge: as === 'failed' }

async function run(world: World, op: Op): Promise<void> {
  let hasCrashed = false
  try {
    const change = await transaction(ctx, async (tx) => {
      if (op.crash)
        crashIn(tx, op.crash, () => {
          hasCrashed = true
        })
      return perform(tx, world, op)
    })
    world.balance += change
  } catch (error) {
    if (!hasCrashed && !REFUSALS.includes((error as { code?: string }).code ?? '')) throw error
  }
}

async function check(world: World): Promise<void> {
  const { found, debitMinor, creditMinor } = await checkLedger(ctx.db)
  expect(found).toEqual([])
  expect(debitMinor).toBe(creditMinor)
  expect((await moneyOf(server, world.owner.user.id)).balance).toBe(world.balance)
}

test('the ledger keeps its invariants', async () => {
  const { seed } = Random.announced('ledger')
  await fc.assert(
    fc.asyncProperty(rounds, async (rounds) => {
      const owner = await makeUser(server, { balanceMinor: 200 })
      const codes = Array.from({ length: 6 }, () => `redemption:${Bun.randomUUIDv7()}`)
      const world: World = { owner, who: actorOf(owner), codes, tasks: [], balance: 200 }
      for (const round of rounds) {
        await Promise.all(round.map((op) => run(world, op)))
        await check(world)
      }
    }),
    { seed, numRuns: 25 },
  )
})

test('changes of several users at once wait for each other, and none is chosen to end a deadlock', async () => {
  const admin = actorOf(await makeUser(server, { role: 'super_admin' }))
  const owners = await Promise.all([0, 1, 2].map(() => makeUser(server, { balanceMinor: 5000 })))
  const batch = { batchSize: 4, amountMinor: 100, description: '', maxUses: 100, expiresAt: null }
  const codes = await drawCodes(ctx, batch.batchSize)
  await createCodes(ctx, admin, batch, codes)
  const nodeId = (await makeNode(server)).node.id
  const input = { kind: 'gpu', title: 't', taskType: 'paid', estimatedMinutes: 1 } as const
  const newTask = ({ user }: TestUser) => createTask(ctx, user.id, input)
  const once = (tx: Tx, { userId }: Principal, work: () => Promise<unknown>) => {
    const request = { userId, route: 'POST /cancel', key: Bun.randomUUIDv7(), content: '' }
    return answerOnce(tx, request, { work: async () => ({ status: 200, headers: {}, body: await work() }) })
  }
  let [changes, runs] = [0, 0]
  const change = (work: (tx: Tx) => Promise<unknown>) => {
    changes++
    const run = transaction(ctx, (tx) => {
      runs++
      return work(tx)
    })
    return run.catch((error) => {
      if (!(error instanceof AppError) && !isOwnerDeleted(error)) throw error
    })
  }
  for (let round = 0; round < 4; round++) {
    const [a, b] = owners as [TestUser, TestUser]
    // Two nodes are lost at once: each had tasks of both users, in another order.
    const lost = [await newTask(a), await newTask(b), await newTask(b), await newTask(a)]
    for (const { id } of lost)
      await ctx.db.update(tasks).set({ nodeId, status: 'running', lostAttempts: 2 }).where(eq(tasks.id, id))
    const lose = (some: Task[]) => change((tx) => loseAttempts(tx, some, failure('node_silent')))
    await Promise.all([lose(lost.slice(0, 2)), lose(lost.slice(2))])
    const ofOwners = await Promise.all(
      owners.map(async (owner) => [await newTask(owner), await newTask(owner)] as const),
    )
    await Promise.all(
      owners.flatMap((owner, n) => {
        const who = actorOf(owner)
        const [first, second] = ofOwners[n]!
        return [
          change((tx) => redeemCode(tx, who, codes[round]!.code)),
          change((tx) => once(tx, who, () => cancelTask(tx, who, first.id))),
          change((tx) => updateAccount(tx, admin, owner.user.id, { balanceMinor: 5000 + round })),
          change((tx) => retryTask(tx, who, lost[n]!.id)),
          change((tx) => createTask(tx, owner.user.id, input)),
          change((tx) => deleteTask(tx, who, second.id)),
          change((tx) => redeemCode(tx, who, codes[(round + n) % 4]!.code)),
          ...(round === 3 ? [change((tx) => deleteUser(tx, admin, owner.user.id))] : []),
        ]
      }),
    )
  }
  expect(runs).toBe(changes)
  expect(await checkLedger(ctx.db)).toMatchObject({ differences: 0, found: [] })
})
