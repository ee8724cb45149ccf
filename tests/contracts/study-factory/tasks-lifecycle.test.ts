import { afterAll, describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { SERVER } from '../../../src/core/audit/audit.ts'
import { updateSystemConfig } from '../../../src/core/system/settings.ts'
import { describedApi } from '../../support/described.ts'
import { makeNode, makeTask, makeUser, type TestUser, unique } from '../../support/factories.ts'
import { transfersOf } from '../../support/ledger.ts'
import { query, startServer } from '../../support/server.ts'
import { expectFactoryError, expectWithout } from '../../support/shapes.ts'
import { openNode } from '../../support/sockets.ts'

const server = await startServer()
afterAll(() => server.stop())
const ask = describedApi(server)
// Minor units per minute.
await updateSystemConfig(server.ctx, SERVER, { taskPrices: { paid: 10, odd: 7, run: 10 } })

const create = (owner: TestUser, body: object = {}) =>
  ask('POST', '/api/tasks', { token: owner.token, body: { title: 't', task_type: 'paid', ...body } })
const money = async ({ token }: TestUser) => {
  const { balance, available_balance } = (await ask('GET', '/api/users/me', { token })).body.data
  return { balance, available_balance }
}
/** Without the balance that the test began with. */
const bookings = async ({ user }: TestUser) =>
  (await transfersOf(server, user.id)).slice(1).map(({ kind, amount }) => [kind, amount])

describe('holding', () => {
  test('an estimate is held when the task is created, to the cent', async () => {
    const owner = await makeUser(server, { balanceMinor: 1000 })
    await create(owner, { task_type: 'odd', estimated_duration: 3 })
    expect(await money(owner)).toEqual({ balance: 10, available_balance: 9.79 })
    await create(owner, { task_type: 'odd', estimated_duration: 1 })
    expect(await money(owner)).toEqual({ balance: 10, available_balance: 9.72 })
    expect(await bookings(owner)).toEqual([
      ['hold', -21],
      ['hold', -7],
    ])
  })

  test('half an hour is held for a task without an estimate, nothing for a free one', async () => {
    const owner = await makeUser(server, { balanceMinor: 300 })
    expect((await create(owner)).status).toBe(201)
    expect(await money(owner)).toEqual({ balance: 3, available_balance: 0 })
    for (const free of [{ task_type: 'test' }, { task_type: undefined, course_ids: ['1'] }]) {
      expect((await create(owner, free)).status).toBe(201)
    }
  })

  test('one cent too little: 400, and neither a task nor a hold', async () => {
    const owner = await makeUser(server, { balanceMinor: 299 })
    expectFactoryError(await create(owner), { status: 400, code: 'INSUFFICIENT_BALANCE' })
    expect(await money(owner)).toEqual({ balance: 2.99, available_balance: 2.99 })
    expect((await ask('GET', '/api/tasks', { token: owner.token })).body.total).toBe(0)
    expect(await query(server, sql`select 1 from events where user_id = ${owner.user.id}`)).toEqual([])
  })

  test('twenty at once with money for three: exactly three', async () => {
    const owner = await makeUser(server, { balanceMinor: 3 * 300 + 299 })
    const answers = await Promise.all(Array.from({ length: 20 }, () => create(owner)))
    expect(answers.filter(({ status }) => status === 201).length).toBe(3)
    for (const answer of answers.filter(({ status }) => status !== 201)) {
      expectFactoryError(answer, { status: 400, code: 'INSUFFICIENT_BALANCE' })
    }
    expect(await money(owner)).toEqual({ balance: 11.99, available_balance: 2.99 })
  })
})

describe('letting go', () => {
  test.each(['cancel', 'delete'])('%s of a task that never ran gives the whole hold back', async (action) => {
    const owner = await makeUser(server, { balanceMinor: 300 })
    const { id } = (await create(owner)).body
    const { token } = owner
    const answer =
      action === 'cancel'
        ? await ask('POST', `/api/tasks/${id}/cancel`, { token })
        : await ask('DELETE', `/api/tasks/${id}`, { token })
    expect(answer.status).toBe(200)
    expect(await money(owner)).toEqual({ balance: 3, available_balance: 3 })
    expect(await bookings(owner)).toEqual([
      ['hold', -300],
      ['release', 300],
    ])
  })

  test('a retry holds again, and needs the money for it', async () => {
    const owner = await makeUser(server, { balanceMinor: 300 })
    const { id } = (await create(owner)).body
    const act = (action: string) => ask('POST', `/api/tasks/${id}/${action}`, { token: owner.token })
    await act('cancel')
    expect((await act('retry')).status).toBe(200)
    expect(await money(owner)).toEqual({ balance: 3, available_balance: 0 })
    await act('cancel')
    const admin = await makeUser(server, { role: 'admin' })
    await ask('PUT', `/api/admin/users/${owner.user.id}`, { token: admin.token, body: { balance: 2.99 } })
    expectFactoryError(await act('retry'), { status: 400, code: 'INSUFFICIENT_BALANCE' })
    expect((await ask('GET', `/api/tasks/${id}`, { token: owner.token })).body.status).toBe('cancelled')
  })
})

test('a completed task costs the minutes it ran, which task, account, statistics and ledger all say', async () => {
  const owner = await makeUser(server, { balanceMinor: 1000 })
  const { token } = await makeNode(server)
  const node = await openNode(server, token, { taskTypes: ['run'] })
  const { body } = await create(owner, { task_type: 'run', estimated_duration: 5 })
  const { task_id, attempt } = await node.next('assign')
  node.send({ type: 'accept', task_id, attempt })
  node.send({ type: 'progress', task_id, attempt, progress: 1 })
  for (let i = 0; i < 200; i++) {
    const read = await ask('GET', `/api/tasks/${body.id}`, { token: owner.token })
    if (read.body.status === 'running') break
    await Bun.sleep(10)
  }
  // 87 s at 10 minor units a minute cost 14.5, rounded up to 15. Three seconds more or less do not change that.
  await query(
    server,
    sql`update tasks set attempt_started_at = now() - interval '87 seconds' where id = ${body.id}`,
  )
  node.send({ type: 'completed', task_id, attempt, result: { frames: 3 } })
  await node.next('ack')
  const shown = await ask('GET', `/api/tasks/${body.id}`, { token: owner.token })
  expect(shown.body.data).toMatchObject({ status: 'completed', cost: 0.15, result: { frames: 3 } })
  expect(await money(owner)).toEqual({ balance: 9.85, available_balance: 9.85 })
  const stats = await ask('GET', '/api/users/stats', { token: owner.token })
  expect(stats.body.data).toMatchObject({ completed_tasks: 1, total_cost: 0.15, current_balance: 9.85 })
  expect(await bookings(owner)).toEqual([
    ['hold', -50],
    ['release', 35],
    ['capture', -15],
  ])
  node.close()
})

const setState = (id: number, status: string) =>
  query(server, sql`update tasks set status = ${status}, started_at = now() where id = ${id}`)

describe('what a state allows', () => {
  const ALLOWED: Record<string, string[]> = {
    pending: ['cancel', 'delete'],
    running: ['cancel'],
    paused: ['cancel'],
    completed: ['delete'],
    failed: ['retry', 'delete'],
    cancelled: ['retry', 'delete'],
  }
  const act = (action: string, id: string, token: string) =>
    action === 'delete'
      ? ask('DELETE', `/api/tasks/${id}`, { token })
      : ask('POST', `/api/tasks/${id}/${action}`, { token })

  test.each(Object.keys(ALLOWED))('%s', async (status) => {
    const owner = await makeUser(server)
    for (const action of ['cancel', 'retry', 'delete']) {
      const task = await makeTask(server, owner)
      await setState(task.id, status)
      const answer = await act(action, task.uuid, owner.token)
      if (!ALLOWED[status]!.includes(action)) {
        expectFactoryError(answer, { status: 409, code: 'INVALID_STATE' })
        const after = await ask('GET', `/api/tasks/${task.id}`, { token: owner.token })
        expect(after.body.status).toBe(status)
        continue
      }
      expect(answer.status).toBe(200)
      const read = await ask('GET', `/api/tasks/${task.id}`, { token: owner.token })
      if (action === 'delete') expect(read.status).toBe(404)
      if (action === 'cancel') expect(read.body).toMatchObject({ status: 'cancelled' })
      if (action === 'retry')
        expect(read.body).toMatchObject({ status: 'pending', progress: 0, data: { started_at: null } })
    }
  })

  test('two cancellations at once: one cancels, the other is told so', async () => {
    const owner = await makeUser(server)
    const task = await makeTask(server, owner)
    const both = await Promise.all([1, 2].map(() => act('cancel', task.uuid, owner.token)))
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409])
  })

  test("an administrator may act on anybody's task; its owner hears of it", async () => {
    const owner = await makeUser(server)
    const admin = await makeUser(server, { role: 'admin' })
    const task = await makeTask(server, owner, { title: unique('secret ') })
    const answer = await act('cancel', task.uuid, admin.token)
    expect(answer.body.status).toBe('cancelled')
    const list = await ask('GET', '/api/tasks', { token: admin.token })
    expectWithout(list, task.title)
    const events = await query(
      server,
      sql`select type from events where user_id = ${owner.user.id} order by seq`,
    )
    expect(events.map(({ type }) => type)).toEqual(['task.created', 'task.cancelled'])
  })
})
