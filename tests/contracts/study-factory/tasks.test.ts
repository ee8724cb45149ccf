import { afterAll, describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { SERVER } from '../../../src/core/audit/audit.ts'
import { updateSystemConfig } from '../../../src/core/system/settings.ts'
import { describedApi } from '../../support/described.ts'
import { makeTask, makeUser, type TestUser } from '../../support/factories.ts'
import { query, startServer } from '../../support/server.ts'
import { enveloped, expectAnswer, expectFactoryError, type Shape } from '../../support/shapes.ts'

const server = await startServer()
afterAll(() => server.stop())
const ask = describedApi(server)
const create = (owner: TestUser, body: unknown) => ask('POST', '/api/tasks', { token: owner.token, body })
const setState = (id: number, status: string) =>
  query(server, sql`update tasks set status = ${status}, started_at = now() where id = ${id}`)

/** docs/contracts/study.md, "Study tasks". */
const STUDY = { id: 'integer', name: 'string', status: 'string', progress: 'number' } satisfies Shape
const LOGS = [{ id: 'integer', level: 'string', message: 'string', created_at: 'instant' }] as const
/** docs/contracts/factory.md, "Tasks". */
const FACTORY = {
  id: 'uuid',
  title: 'string',
  description: 'string',
  task_type: 'string|null',
  status: 'string',
  progress: 'number',
  priority: 'integer',
  gpu_server_id: 'uuid|null',
  config: 'object',
  result: 'object',
  error_message: 'string|null',
  cost: 'money',
  estimated_cost: 'money',
  estimated_duration: 'integer|null',
  started_at: 'instant|null',
  completed_at: 'instant|null',
  created_at: 'instant',
  updated_at: 'instant',
} satisfies Shape
const ONE = { ...STUDY, logs: LOGS, ...enveloped(FACTORY) }
const PAGE = {
  total: 'integer',
  page: 'integer',
  page_size: 'integer',
  total_pages: 'integer',
} satisfies Shape
const LIST = { ...PAGE, items: [STUDY], ...enveloped({ ...PAGE, items: [FACTORY] }) } satisfies Shape

describe('POST /api/tasks', () => {
  test('task_type makes a GPU task, in both forms', async () => {
    const owner = await makeUser(server)
    const body = {
      title: '视频分析任务',
      description: '分析视频内容',
      task_type: 'video_analysis',
      priority: 2,
      estimated_duration: 30,
      config: {
        video_url: 'https://example.com/video.mp4',
        analysis_type: 'content',
        深: [1, { a: null }],
        '🦉': true,
      },
    }
    const answer = await create(owner, body)
    expectAnswer(answer, 201, ONE)
    expect(answer.body).toMatchObject({
      name: body.title,
      status: 'pending',
      progress: 0,
      logs: [],
      data: body,
    })
    expect(answer.body.data).toMatchObject({ result: {}, cost: 0, gpu_server_id: null, started_at: null })
    const read = await ask('GET', `/api/tasks/${answer.body.id}`, { token: owner.token })
    expect(read.body.data).toEqual(answer.body.data)
  })

  test('course_ids make a study task, which waits for its start', async () => {
    const owner = await makeUser(server)
    const answer = await create(owner, { name: '学习任务', course_ids: ['123456', '789012'] })
    expectAnswer(answer, 201, ONE)
    expect(answer.body).toMatchObject({
      name: '学习任务',
      status: 'pending',
      course_ids: ['123456', '789012'],
    })
    expect(answer.body.data).toMatchObject({ title: '学习任务', task_type: null, config: {} })
  })

  test('what was left out has no made-up value, and what is not for the client to say is not taken', async () => {
    const owner = await makeUser(server)
    const greedy = {
      user_id: 1,
      status: 'completed',
      progress: 100,
      cost: 5,
      id: 7,
      uuid: 'x',
      attempt: 9,
      kind: 'study',
    }
    const { body } = await create(owner, { title: 't', task_type: 'test', ...greedy })
    expect(body.data).toMatchObject({
      description: '',
      priority: 0,
      estimated_duration: null,
      status: 'pending',
      progress: 0,
      cost: 0,
    })
    expect((await ask('GET', `/api/tasks/${body.data.id}`, { token: owner.token })).status).toBe(200)
  })

  test('a task type may be called like something that every object has', async () => {
    const answer = await create(await makeUser(server), { title: 't', task_type: 'constructor' })
    expect(answer.body.data).toMatchObject({ task_type: 'constructor', cost: 0 })
  })

  const gpu = { title: 't', task_type: 'test' }
  test.each<[string, object, string[]]>([
    ['neither kind', { title: 't' }, ['task_type']],
    ['both kinds', { ...gpu, course_ids: ['1'] }, ['task_type']],
    ['a GPU task without a title', { task_type: 'test' }, ['title']],
    ['a study task without a name', { course_ids: ['1'] }, ['name']],
    ['an empty title', { ...gpu, title: '' }, ['title']],
    ['a long title', { ...gpu, title: 't'.repeat(256) }, ['title']],
    ['a title that is a number', { ...gpu, title: 5 }, ['title']],
    ['a long description', { ...gpu, description: 'd'.repeat(5001) }, ['description']],
    ['a task type in capitals', { ...gpu, task_type: 'Test' }, ['task_type']],
    ['an empty task type', { ...gpu, task_type: '' }, ['task_type']],
    ['a task type that is null', { ...gpu, task_type: null }, ['task_type']],
    ['no courses', { name: 'n', course_ids: [] }, ['course_ids']],
    ['too many courses', { name: 'n', course_ids: Array(201).fill('1') }, ['course_ids']],
    ['a course that is a number', { name: 'n', course_ids: [1] }, ['course_ids.0']],
    ['courses that are a text', { name: 'n', course_ids: '123' }, ['course_ids']],
    ['a priority above 10', { ...gpu, priority: 11 }, ['priority']],
    ['a negative priority', { ...gpu, priority: -1 }, ['priority']],
    ['half a priority', { ...gpu, priority: 1.5 }, ['priority']],
    ['no time at all', { ...gpu, estimated_duration: 0 }, ['estimated_duration']],
    ['too much time', { ...gpu, estimated_duration: 100_001 }, ['estimated_duration']],
    ['a config that is a list', { ...gpu, config: [1] }, ['config']],
    ['a config that is a text', { ...gpu, config: '{"a":1}' }, ['config']],
    ['a config that is null', { ...gpu, config: null }, ['config']],
    ['a config of more than 64 KiB', { ...gpu, config: { a: 'x'.repeat(66_000) } }, ['config']],
  ])('%s: 422', async (_, body, fields) => {
    const answer = await create(await makeUser(server), body)
    expectFactoryError(answer, { status: 422, code: 'VALIDATION_ERROR', fields })
  })

  test('more unfinished tasks than the system allows: 429, also when they come at once', async () => {
    const { ctx } = server
    await updateSystemConfig(ctx, SERVER, { maxConcurrentTasksPerUser: 3 })
    try {
      const owner = await makeUser(server)
      const answers = await Promise.all(Array.from({ length: 8 }, () => create(owner, gpu)))
      const created = answers.filter(({ status }) => status === 201)
      expect(created.length).toBe(3)
      for (const answer of answers.filter(({ status }) => status !== 201)) {
        expectFactoryError(answer, { status: 429, code: 'TASK_LIMIT_EXCEEDED' })
      }
      await setState(created[0]!.body.id, 'paused')
      expect((await create(owner, gpu)).status).toBe(429)
      await ask('POST', `/api/tasks/${created[1]!.body.id}/cancel`, { token: owner.token })
      expect((await create(owner, { name: 'n', course_ids: ['1'] })).status).toBe(201)
      expect((await create(await makeUser(server), gpu)).status).toBe(201)
    } finally {
      await updateSystemConfig(ctx, SERVER, { maxConcurrentTasksPerUser: 100 })
    }
  })

  test('a retry is within that limit too, also when several come at once', async () => {
    const { ctx } = server
    const owner = await makeUser(server)
    const { token } = owner
    const ids: number[] = []
    for (let i = 0; i < 4; i++) ids.push((await create(owner, gpu)).body.id)
    for (const id of ids) await ask('POST', `/api/tasks/${id}/cancel`, { token })
    await updateSystemConfig(ctx, SERVER, { maxConcurrentTasksPerUser: 2 })
    try {
      const answers = await Promise.all(ids.map((id) => ask('POST', `/api/tasks/${id}/retry`, { token })))
      const refused = answers.filter(({ status }) => status !== 200)
      expect(refused.length).toBe(2)
      for (const answer of refused) {
        expectFactoryError(answer, { status: 429, code: 'TASK_LIMIT_EXCEEDED' })
      }
    } finally {
      await updateSystemConfig(ctx, SERVER, { maxConcurrentTasksPerUser: 100 })
    }
  })
})

describe('GET /api/tasks', () => {
  test('pages, filters and sorts, at both levels alike', async () => {
    const owner = await makeUser(server)
    const made = []
    for (const [i, priority] of [1, 5, 3, 5, 0].entries()) {
      const taskType = i % 2 === 0 ? 'even' : 'odd'
      made.push(await makeTask(server, owner, { title: `t${i}`, priority, taskType } as never))
    }
    const learner = await makeUser(server)
    await makeTask(server, learner)
    await makeTask(server, learner, { title: 'study', kind: 'study', courseIds: ['1'] })
    await setState(made[2]!.id, 'running')
    await query(
      server,
      sql`update tasks set updated_at = now() + interval '1 minute' where id = ${made[1]!.id}`,
    )

    const list = async (text: string, { token } = owner) => {
      const answer = await ask('GET', `/api/tasks?${text}`, { token })
      expectAnswer(answer, 200, LIST)
      const { items, ...page } = answer.body.data
      expect(answer.body).toMatchObject(page)
      expect(answer.body.items.map((task: { name: string }) => task.name)).toEqual(
        items.map((task: { title: string }) => task.title),
      )
      return { titles: items.map((task: { title: string }) => task.title).join(' '), page }
    }
    expect(await list('')).toEqual({
      titles: 't4 t3 t2 t1 t0',
      page: { total: 5, page: 1, page_size: 20, total_pages: 1 },
    })
    expect(await list('page=2&page_size=2')).toEqual({
      titles: 't2 t1',
      page: { total: 5, page: 2, page_size: 2, total_pages: 3 },
    })
    expect((await list('page=9&page_size=2')).titles).toBe('')
    expect((await list('status=running')).titles).toBe('t2')
    expect((await list('status=completed')).page).toMatchObject({ total: 0, total_pages: 0 })
    expect((await list('task_type=odd')).titles).toBe('t3 t1')
    expect((await list('task_type=odd&status=running')).titles).toBe('')
    expect((await list('sort_order=asc')).titles).toBe('t0 t1 t2 t3 t4')
    expect((await list('sort_by=priority')).titles).toBe('t3 t1 t2 t0 t4')
    expect((await list('sort_by=priority&sort_order=asc')).titles).toBe('t4 t0 t2 t1 t3')
    expect((await list('sort_by=updated_at&page_size=1')).titles).toBe('t1')
    expect((await list('unknown=1&status=running')).titles).toBe('t2')
    expect((await list('kind=gpu')).page.total).toBe(5)
    expect((await list('kind=study', learner)).titles).toBe('study')
    expect((await list('kind=gpu&status=pending', learner)).page.total).toBe(1)
  })

  test.each([
    ['page=0', 'page'],
    ['page=-1', 'page'],
    ['page=abc', 'page'],
    ['page=1.5', 'page'],
    ['page=', 'page'],
    ['page=1e3', 'page'],
    ['page=99999999999999999999', 'page'],
    ['page_size=0', 'page_size'],
    ['page_size=101', 'page_size'],
    ['status=done', 'status'],
    ['kind=cpu', 'kind'],
    ['sort_by=title', 'sort_by'],
    ['sort_by=created_at;drop table tasks', 'sort_by'],
    ['sort_order=up', 'sort_order'],
    [`task_type=${'x'.repeat(51)}`, 'task_type'],
  ])('?%s: 422', async (text, field) => {
    const { token } = await makeUser(server)
    const answer = await ask('GET', `/api/tasks?${text}`, { token })
    expectFactoryError(answer, { status: 422, code: 'VALIDATION_ERROR', fields: [field] })
  })
})
