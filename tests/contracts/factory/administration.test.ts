/** Protects docs/contracts/factory.md, "Administration" and "System configuration", and study's routes for administrators. */
import { afterAll, describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { foldCounts, recount } from '../../../src/core/statistics/counts.ts'
import { describedApi } from '../../support/described.ts'
import { makeNode, makeTask, makeUser, type TestUser } from '../../support/factories.ts'
import { query, startServer, type TestServer } from '../../support/server.ts'
import {
  enveloped,
  expectAnswer,
  expectFactoryError,
  expectWithout,
  type Shape,
} from '../../support/shapes.ts'

const server: TestServer = await startServer()
afterAll(() => server.stop())
const ask = describedApi(server)
const admin = await makeUser(server, { role: 'admin' })
const { token } = admin
const get = (path: string, as: TestUser = admin) => ask('GET', path, { token: as.token })
const put = (path: string, body: object, as: TestUser = admin) => ask('PUT', path, { token: as.token, body })
const BAD = { status: 422, code: 'VALIDATION_ERROR' }

describe('figures', () => {
  const STATS = {
    total_users: 'integer',
    active_users: 'integer',
    total_tasks: 'integer',
    running_tasks: 'integer',
    completed_tasks: 'integer',
    failed_tasks: 'integer',
    total_gpu_servers: 'integer',
    online_gpu_servers: 'integer',
    total_revenue: 'money',
  } satisfies Shape
  const MORE = { pending_tasks: 'integer', study_tasks: 'integer', total_courses: 'integer' } satisfies Shape

  test('have the documented form', async () => {
    expectAnswer(await get('/api/admin/stats'), 200, enveloped(STATS))
    expectAnswer(await get('/api/admin/statistics'), 200, { ...STATS, ...MORE })
  })

  test('follow every change, and agree with a count of all rows', async () => {
    const before = (await get('/api/admin/statistics')).body
    const grown = async () => {
      const { body } = await get('/api/admin/statistics')
      const figures = Object.entries(body).map(([name, n]) => [name, (n as number) - before[name]] as const)
      return Object.fromEntries(figures.filter(([, n]) => n !== 0))
    }
    const owner = await makeUser(server, { balanceMinor: 100_000 })
    const gone = await makeUser(server)
    const idle = await makeUser(server)
    await put(`/api/admin/users/${idle.user.id}`, { is_active: false })
    await makeNode(server)
    const [first, second] = [await makeTask(server, owner), await makeTask(server, owner)]
    await makeTask(server, owner, { kind: 'study', courseIds: ['1'] })
    await makeTask(server, gone)
    const all = { total_tasks: 4, pending_tasks: 4, gpu_tasks: 3, study_tasks: 1 }
    const users = { total_users: 3, active_users: 2, total_gpu_servers: 1 }
    expect(await grown()).toEqual({ ...all, ...users })
    await ask('POST', `/api/tasks/${first.id}/cancel`, { token: owner.token })
    await query(server, sql`update tasks set status = 'running' where id = ${second.id}`)
    expect(await grown()).toEqual({
      ...all,
      ...users,
      pending_tasks: 2,
      running_tasks: 1,
      cancelled_tasks: 1,
    })
    await query(server, sql`update tasks set status = 'completed', progress = 100 where id = ${second.id}`)
    await query(server, sql`update users set display_name = 'x' where id = ${owner.user.id}`)
    await ask('POST', `/api/tasks/${first.id}/retry`, { token: owner.token })
    expect(await grown()).toEqual({ ...all, ...users, pending_tasks: 3, completed_tasks: 1 })
    await ask('DELETE', `/api/tasks/${second.id}`, { token: owner.token })
    const root = await makeUser(server, { role: 'super_admin' })
    await ask('DELETE', `/api/admin/users/${gone.user.id}`, { token: root.token })
    // The new administrator has come, and the deleted user has gone.
    expect(await grown()).toMatchObject({ total_users: 3, active_users: 2 })
    expect((await get('/api/admin/stats')).body.data.total_users).toBe(before.total_users + 3)
    expect(await recount(server.ctx)).toBe(0)
    await foldCounts(server.ctx)
    expect(await recount(server.ctx)).toBe(0)
    expect((await get('/api/admin/stats')).body.data.total_users).toBe(before.total_users + 3)
  })

  test('revenue is what users have paid for tasks', async () => {
    const revenue = async () => (await get('/api/admin/stats')).body.data.total_revenue
    const before = await revenue()
    const owner = await makeUser(server, { balanceMinor: 100_000 })
    await put('/api/admin/config', { task_prices: { paid: 12.5 } })
    const task = await makeTask(server, owner, { taskType: 'paid', estimatedMinutes: 2 })
    expect(await revenue()).toBe(before)
    // Running for a minute and a half.
    await query(
      server,
      sql`update tasks set status = 'running', attempt_started_at = now() - interval '90 seconds' where id = ${task.id}`,
    )
    await ask('POST', `/api/tasks/${task.id}/cancel`, { token: owner.token })
    const { cost } = (await ask('GET', `/api/tasks/${task.id}`, { token: owner.token })).body.data
    expect(cost).toBeWithin(18.75, 19.5)
    expect(await revenue()).toBeCloseTo(before + cost, 6)
    expect(await recount(server.ctx)).toBe(0)
  })
})

describe('/api/admin/config', () => {
  const CONFIG = {
    max_concurrent_tasks_per_user: 'integer',
    default_task_timeout: 'integer',
    maintenance_mode: 'boolean',
    task_prices: 'object',
  } satisfies Shape
  const show = async () => (await get('/api/admin/config')).body.data

  test('the documented change is answered, and leaves the other settings as they are', async () => {
    expectAnswer(await get('/api/admin/config'), 200, enveloped(CONFIG))
    const { task_prices } = await show()
    const documented = {
      max_concurrent_tasks_per_user: 5,
      default_task_timeout: 3600,
      maintenance_mode: false,
    }
    const answer = await put('/api/admin/config', documented)
    expectAnswer(answer, 200, enveloped(CONFIG))
    expect(answer.body.data).toEqual({ ...documented, task_prices })
    expect((await put('/api/admin/config', { default_task_timeout: 60 })).body.data).toEqual({
      ...documented,
      default_task_timeout: 60,
      task_prices,
    })
    expect((await put('/api/admin/config', {})).body.data).toEqual(await show())
  })

  test('prices are decimals per minute: those that are not named stay, and null ends one', async () => {
    await put('/api/admin/config', { task_prices: { video_analysis: 0.29, 'a.b-c_1': 12 } })
    await put('/api/admin/config', { task_prices: { other: 0 } })
    const named = { video_analysis: 0.29, 'a.b-c_1': 12, other: 0 }
    expect((await show()).task_prices).toMatchObject(named)
    const { task_prices } = (await put('/api/admin/config', { task_prices: { other: null } })).body.data
    expect(task_prices).toMatchObject({ video_analysis: 0.29 })
    expect(task_prices).not.toHaveProperty('other')
  })

  test.each([
    [{ nonsense: 1 }, 'nonsense'],
    [{ maxConcurrentTasksPerUser: 1 }, 'maxConcurrentTasksPerUser'],
    [{ constructor: 1 }, 'constructor'],
    [{ max_concurrent_tasks_per_user: 0 }, 'max_concurrent_tasks_per_user'],
    [{ max_concurrent_tasks_per_user: '5' }, 'max_concurrent_tasks_per_user'],
    [{ default_task_timeout: 1.5 }, 'default_task_timeout'],
    [{ default_task_timeout: -1 }, 'default_task_timeout'],
    [{ default_task_timeout: null }, 'default_task_timeout'],
    [{ maintenance_mode: 'true' }, 'maintenance_mode'],
    [{ maintenance_mode: 1 }, 'maintenance_mode'],
    [{ task_prices: [] }, 'task_prices'],
    [{ task_prices: { a: -1 } }, 'task_prices.a'],
    [{ task_prices: { a: 0.001 } }, 'task_prices.a'],
    [{ task_prices: { a: '1' } }, 'task_prices.a'],
    [{ task_prices: { 'No Type': 1 } }, 'task_prices.No Type'],
    [JSON.parse('{"task_prices": {"__proto__": 1}}'), 'task_prices.__proto__'],
    [JSON.parse('{"__proto__": 1}'), '__proto__'],
  ])('%j is refused, with every name, and changes nothing', async (body, field) => {
    const before = await show()
    const raw = JSON.stringify(body).replace(/}$/, ', "maintenance_mode": true}')
    const named = field === 'maintenance_mode' ? body : undefined
    const answer = await ask('PUT', '/api/admin/config', { token, ...(named ? { body } : { raw }) })
    expectFactoryError(answer, { ...BAD, fields: [field] })
    expect(await show()).toEqual(before)
  })

  test('a change is in the audit log, with the values before and after', async () => {
    await put('/api/admin/config', { default_task_timeout: 100, task_prices: { audited: 1 } })
    await put('/api/admin/config', { default_task_timeout: 200, task_prices: { audited: null } })
    const [entry] = await query(
      server,
      sql`select actor_id, details from audit_log where action = 'settings.updated' order by id desc limit 1`,
    )
    expect(entry).toEqual({
      actor_id: admin.user.id,
      details: {
        fields: ['default_task_timeout', 'task_prices'],
        before: { default_task_timeout: 100, task_prices: { audited: 100 } },
        after: { default_task_timeout: 200, task_prices: { audited: null } },
      },
    })
  })

  test('the limit on tasks acts at once', async () => {
    const owner = await makeUser(server)
    const create = () =>
      ask('POST', '/api/tasks', { token: owner.token, body: { title: 't', task_type: 'test' } })
    await put('/api/admin/config', { max_concurrent_tasks_per_user: 2 })
    expect([(await create()).status, (await create()).status]).toEqual([201, 201])
    expectFactoryError(await create(), { status: 429, code: 'TASK_LIMIT_EXCEEDED' })
    await put('/api/admin/config', { max_concurrent_tasks_per_user: 3 })
    expect((await create()).status).toBe(201)
    await put('/api/admin/config', { max_concurrent_tasks_per_user: 100 })
  })

  test('users who are no administrators neither see nor change it', async () => {
    const editor = await makeUser(server, { role: 'editor' })
    for (const answer of [
      await get('/api/admin/config', editor),
      await put('/api/admin/config', { maintenance_mode: true }, editor),
      await get('/api/admin/stats', editor),
      await get('/api/admin/statistics', editor),
      await get('/api/admin/tasks', editor),
    ])
      expectFactoryError(answer, { status: 403, code: 'ACCESS_DENIED' })
  })
})

describe('tasks of all users', () => {
  const TASK = {
    id: 'integer',
    uuid: 'uuid',
    name: 'string',
    status: 'string',
    kind: 'string',
    task_type: 'string|null',
    progress: 'number',
    user: { id: 'integer', uuid: 'uuid', username: 'string', email: 'string' },
  } satisfies Shape
  const idsOf = (answer: { body: { items: { id: number }[] } }) => answer.body.items.map(({ id }) => id)

  test('are listed newest first with their owners, by every filter', async () => {
    const [ada, bob] = [await makeUser(server), await makeUser(server)]
    const { node } = await makeNode(server)
    const gpu = await makeTask(server, ada, { taskType: 'rare' })
    const study = await makeTask(server, bob, { kind: 'study', courseIds: ['1'] })
    const ran = await makeTask(server, bob, { taskType: 'rare' })
    await query(server, sql`update tasks set status = 'completed', node_id = ${node.id} where id = ${ran.id}`)
    const newest = await get('/api/admin/tasks?page_size=3')
    const page = { total: 'integer', page: 'integer', page_size: 'integer', total_pages: 'integer' } as const
    expectAnswer(newest, 200, { items: [TASK], ...page })
    expect(idsOf(newest)).toEqual([ran.id, study.id, gpu.id])
    expect(newest.body.items[2].user).toMatchObject({ id: ada.user.id, username: ada.user.username })
    expect(newest.body.items[0].gpu_server_id).toBe(node.uuid)
    for (const [search, found] of [
      [`user_id=${bob.user.id}`, [ran.id, study.id]],
      [`user_id=${bob.user.uuid}&kind=gpu`, [ran.id]],
      [`user_id=${bob.user.id}&kind=study`, [study.id]],
      ['task_type=rare', [ran.id, gpu.id]],
      ['task_type=rare&status=pending', [gpu.id]],
      [`gpu_server_id=${node.uuid}`, [ran.id]],
      ['task_type=rare&page=2&page_size=1', [gpu.id]],
      ['user_id=nobody', []],
      ['user_id=999999999', []],
      ['gpu_server_id=nonsense', []],
      ["task_type=' or 1=1", []],
    ] as const)
      expect(idsOf(await get(`/api/admin/tasks?${search}`)), search).toEqual([...found])
    expect((await get('/api/admin/tasks?task_type=rare&page_size=1')).body).toMatchObject({
      total: 2,
      total_pages: 2,
    })
    for (const search of ['status=lost', 'kind=other', 'page=0'])
      expectFactoryError(await get(`/api/admin/tasks?${search}`), BAD)
  })

  test('filters without an index look at the newest million', async () => {
    const owner = await makeUser(server)
    const [task, newer] = [await makeTask(server, owner), await makeTask(server, owner)]
    const old = newer.id - 1_000_000
    await query(server, sql`update tasks set id = ${old}, task_type = 'ancient' where id = ${task.id}`)
    const found = async (search: string) => idsOf(await get(`/api/admin/tasks?task_type=ancient&${search}`))
    expect(await found('')).toEqual([])
    expect(await found(`user_id=${owner.user.id}`)).toEqual([old])
    expect(await found('status=pending')).toEqual([old])
    await query(server, sql`update tasks set id = ${old + 1} where id = ${old}`)
    expect(await found('')).toEqual([old + 1])
    await query(server, sql`update tasks set id = ${task.id} where id = ${old + 1}`)
  })

  test.each(['pending', 'running', 'paused'])(
    'a %s one is stopped by force, with a reason for its owner',
    async (status) => {
      const owner = await makeUser(server)
      const task = await makeTask(server, owner)
      await query(
        server,
        sql`update tasks set status = ${status}, attempt_started_at = now() where id = ${task.id}`,
      )
      const { cursor } = (await ask('POST', '/api/ws/ticket', { token: owner.token })).body.data
      const answer = await ask('POST', `/api/admin/tasks/${task.uuid}/force-stop`, {
        token,
        body: { reason: '占用过多' },
      })
      expectAnswer(answer, 200, { id: 'integer', name: 'string', status: 'string', logs: 'array' })
      expect(answer.body).toMatchObject({ id: task.id, status: 'cancelled' })
      expect(answer.body.error_message).toContain('占用过多')
      const path = `/api/events?cursor=${cursor}`
      const { events } = (
        await ask('GET', path, { token: owner.token, headers: { 'accept-language': 'en' } })
      ).body
      expect(events).toMatchObject([
        {
          type: 'task.cancelled',
          data: {
            status: 'cancelled',
            reason: 'An administrator stopped the task (reason: 占用过多)',
            reason_code: 'force_stopped',
          },
        },
      ])
      const [entry] = await query(
        server,
        sql`select action, subject_id, details from audit_log where target_id = ${task.uuid} order by id desc limit 1`,
      )
      expect(entry).toEqual({
        action: 'task.force_stopped',
        subject_id: owner.user.id,
        details: { reason: '占用过多' },
      })
      const again = await ask('POST', `/api/admin/tasks/${task.id}/force-stop`, { token })
      expectFactoryError(again, { status: 409, code: 'INVALID_STATE' })
      const retried = await ask('POST', `/api/tasks/${task.id}/retry`, { token: owner.token })
      expect(retried.body.data).toMatchObject({ status: 'pending', error_message: null, failure_code: null })
    },
  )

  test('a force-stop needs no body, and its owner cannot do it', async () => {
    const owner = await makeUser(server)
    const task = await makeTask(server, owner)
    const own = await ask('POST', `/api/admin/tasks/${task.id}/force-stop`, { token: owner.token })
    expectFactoryError(own, { status: 403, code: 'ACCESS_DENIED' })
    const { body } = await ask('POST', `/api/admin/tasks/${task.id}/force-stop`, { token })
    expect(body).toMatchObject({ status: 'cancelled', error_message: '管理员已停止该任务' })
  })
})

describe('/api/admin/users/{id}', () => {
  test('shows one user in the forms of both contracts, by either id', async () => {
    const { user } = await makeUser(server, { balanceMinor: 1234 })
    for (const id of [user.id, user.uuid]) {
      const { body } = await get(`/api/admin/users/${id}`)
      expect(body).toMatchObject({ success: true, id: user.id, username: user.username, is_active: true })
      expect(body.data).toMatchObject({ id: user.uuid, balance: 12.34, total_tasks: 0, is_active: true })
    }
  })

  test('changes names, which must be free', async () => {
    const [ada, bob] = [await makeUser(server), await makeUser(server)]
    const path = `/api/admin/users/${ada.user.id}`
    const names = { username: `${ada.user.username}x`, email: `x${ada.user.email}`, full_name: '新的姓名' }
    expect((await put(path, names)).body.data).toMatchObject(names)
    expectFactoryError(await put(path, { username: bob.user.username }), {
      status: 409,
      code: 'USERNAME_ALREADY_EXISTS',
    })
    expectFactoryError(await put(path, { email: bob.user.email.toUpperCase() }), {
      status: 409,
      code: 'EMAIL_ALREADY_EXISTS',
    })
  })

  test('deletes an account, for super administrators alone', async () => {
    const { user, token: theirs } = await makeUser(server)
    const path = `/api/admin/users/${user.id}`
    expectFactoryError(await ask('DELETE', path, { token }), { status: 403, code: 'ACCESS_DENIED' })
    const root = await makeUser(server, { role: 'super_admin' })
    const answer = await ask('DELETE', path, { token: root.token })
    expectAnswer(answer, 200, enveloped('object'))
    expectWithout(answer, user.email)
    expectFactoryError(await get(path), { status: 404, code: 'RESOURCE_NOT_FOUND' })
    expect((await ask('GET', '/api/users/me', { token: theirs })).status).toBe(401)
    const own = await ask('DELETE', `/api/admin/users/${root.user.id}`, { token: root.token })
    expectFactoryError(own, { status: 409, code: 'OWN_ACCOUNT' })
  })
})
