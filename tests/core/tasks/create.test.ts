/** Tasks that are created at the same time: limit, holds and events are those of one after the other. */
import { afterAll, describe, expect, test } from 'bun:test'
import { and, eq, sql } from 'drizzle-orm'
import { SERVER } from '../../../src/core/audit/audit.ts'
import { newId, readEvents } from '../../../src/core/channel/log.ts'
import { updateSystemConfig } from '../../../src/core/system/settings.ts'
import { createTask } from '../../../src/core/tasks/create.ts'
import { taskEvent } from '../../../src/core/tasks/events.ts'
import { cancelTask, retryTask } from '../../../src/core/tasks/tasks.ts'
import { tasks } from '../../../src/db/schema/index.ts'
import { makeUser, type TestUser } from '../../support/factories.ts'
import { moneyOf } from '../../support/ledger.ts'
import { startServer } from '../../support/server.ts'

const LIMIT = 7
const server = await startServer()
afterAll(() => server.stop())
const { ctx } = server
await updateSystemConfig(ctx, SERVER, { maxConcurrentTasksPerUser: LIMIT, taskPrices: { paid: 10 } })

const FREE = { kind: 'gpu', title: 'free', taskType: 'free' } as const
/** Holds 10 minor units. */
const PAID = { kind: 'gpu', title: 'paid', taskType: 'paid', estimatedMinutes: 1 } as const

async function stateOf({ user }: TestUser) {
  const { held } = await moneyOf(server, user.id)
  const [sums] = await ctx.db
    .select({ n: sql<number>`count(*)::int`, held: sql<number>`coalesce(sum(${tasks.heldMinor}), 0)::int` })
    .from(tasks)
    .where(and(eq(tasks.userId, user.id), eq(tasks.status, 'pending')))
  return { held, pending: sums!.n, heldByTasks: sums!.held }
}
const outcomes = async (changes: Promise<unknown>[]) => {
  const codes = (await Promise.allSettled(changes)).map((change) =>
    change.status === 'fulfilled' ? 'done' : change.reason.code,
  )
  return (code: string) => codes.filter((one) => one === code).length
}
const seqsOf = async ({ user }: TestUser) =>
  (await readEvents(ctx, user.id, 0, 1000)).map(({ seq, type }) => ({ seq, type }))

describe('many creations at once', () => {
  test('reach the limit and do not pass it; each has one event, without gaps', async () => {
    const owner = await makeUser(server)
    const count = await outcomes(Array.from({ length: 40 }, () => createTask(ctx, owner.user.id, FREE)))
    expect({ done: count('done'), refused: count('TASK_LIMIT_EXCEEDED') }).toEqual({
      done: LIMIT,
      refused: 40 - LIMIT,
    })
    expect(await stateOf(owner)).toEqual({ held: 0, pending: LIMIT, heldByTasks: 0 })
    expect(await seqsOf(owner)).toEqual(
      Array.from({ length: LIMIT }, (_, n) => ({ seq: n + 1, type: 'task.created' })),
    )
  })

  test('never hold more than the balance', async () => {
    const owner = await makeUser(server, { balanceMinor: 35 })
    const count = await outcomes(Array.from({ length: 30 }, () => createTask(ctx, owner.user.id, PAID)))
    expect({ done: count('done'), refused: count('INSUFFICIENT_BALANCE') }).toEqual({ done: 3, refused: 27 })
    expect(await stateOf(owner)).toEqual({ held: 30, pending: 3, heldByTasks: 30 })
  })

  test('of one user, of other users, and with retries and cancellations among them: nothing is lost', async () => {
    const owners = await Promise.all(
      Array.from({ length: 4 }, () => makeUser(server, { balanceMinor: 1000 })),
    )
    const whoOf = ({ user }: TestUser) =>
      ({ userId: user.id, role: 'user' }) as Parameters<typeof cancelTask>[1]
    const cancelled = await Promise.all(
      owners.map(async (owner) => {
        const task = await createTask(ctx, owner.user.id, PAID)
        return cancelTask(ctx, whoOf(owner), task.id)
      }),
    )
    const count = await outcomes(
      owners.flatMap((owner, n) => [
        ...Array.from({ length: 10 }, (_, i) => createTask(ctx, owner.user.id, i % 2 ? PAID : FREE)),
        retryTask(ctx, whoOf(owner), cancelled[n]!.id),
      ]),
    )
    // Eleven wanted a place, of each of four.
    expect({ done: count('done'), refused: count('TASK_LIMIT_EXCEEDED') }).toEqual({
      done: 4 * LIMIT,
      refused: 4 * (11 - LIMIT),
    })
    for (const owner of owners) {
      const state = await stateOf(owner)
      expect(state.pending).toBe(LIMIT)
      expect(state.held).toBe(state.heldByTasks)
      const seqs = (await seqsOf(owner)).map(({ seq }) => seq)
      expect(seqs).toEqual(seqs.map((_, n) => n + 1))
    }
  })
})

test('the event says what the stored task says, also when the title is the place of the id in its JSON', async () => {
  const owner = await makeUser(server)
  const titles = ['plain', '\\u0000id', '"\\u0000id"', '\u2028 "quoted" \\ 任务']
  for (const title of titles) {
    const { id } = await createTask(ctx, owner.user.id, { ...FREE, title })
    const [stored] = await ctx.db.select().from(tasks).where(eq(tasks.id, id))
    const [event] = (await readEvents(ctx, owner.user.id, 0, 100)).slice(-1)
    expect(stored!.title).toBe(title)
    expect(JSON.parse(event!.data)).toEqual(ctx.presentEvent('task.created', taskEvent(stored!)))
  }
  expect(JSON.stringify('\0id')).toBe(JSON.stringify(newId))
  await expect(createTask(ctx, owner.user.id, { ...FREE, title: '\0id' })).rejects.toThrow()
  expect(await seqsOf(owner)).toHaveLength(titles.length)
})

test('a user at the limit is told that, and not that the balance is too small', async () => {
  const owner = await makeUser(server, { balanceMinor: 10 * LIMIT })
  for (let n = 0; n < LIMIT; n++) await createTask(ctx, owner.user.id, PAID)
  await expect(createTask(ctx, owner.user.id, PAID)).rejects.toMatchObject({ code: 'TASK_LIMIT_EXCEEDED' })
  expect(await stateOf(owner)).toEqual({ held: 10 * LIMIT, pending: LIMIT, heldByTasks: 10 * LIMIT })
})
