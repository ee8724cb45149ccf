/** The requests that the contracts' documents print, sent unchanged except for host and token; `tests/clients` runs their programs. */
import { afterAll, describe, expect, test } from 'bun:test'
import { api } from '../support/api.ts'
import { makeTask, makeUser } from '../support/factories.ts'
import { startServer } from '../support/server.ts'
import { misfits, type Shape } from '../support/shapes.ts'

const server = await startServer()
afterAll(() => server.stop())

const HEADERS = { 'User-Agent': 'python-requests/2.32.3', 'Accept-Encoding': 'gzip, deflate', Accept: '*/*' }
const send = (method: string, path: string, raw?: string, token?: string) =>
  api(server, method, path, { token, headers: HEADERS, ...(raw !== undefined && { raw }) })

describe('the printed bodies', () => {
  const NEW_TASK = `{
  "title": "视频分析任务",
  "description": "分析视频内容",
  "task_type": "video_analysis",
  "priority": 2,
  "estimated_duration": 30,
  "config": {
    "video_url": "https://example.com/video.mp4",
    "analysis_type": "content"
  }
}`
  const CREATED = {
    success: 'true',
    data: { id: 'uuid', title: 'string', status: 'string', progress: 'number', created_at: 'instant' },
  }

  test.each<[string, string, string, string, number, Shape]>([
    ['factory', 'POST', '/api/tasks', NEW_TASK, 201, CREATED],
    [
      'study',
      'POST',
      '/api/tasks',
      '{\n  "name": "学习任务",\n  "course_ids": ["123456", "789012"]\n}',
      201,
      { id: 'integer', name: 'string' },
    ],
    [
      'factory',
      'PUT',
      '/api/users/me',
      '{\n  "full_name": "新的姓名",\n  "username": "new_username"\n}',
      200,
      { success: 'true' },
    ],
    [
      'factory',
      'GET',
      '/api/tasks?page=1&page_size=20&status=running',
      '',
      200,
      { data: { items: 'object|string|null' } },
    ],
  ])('of %s: %s %s', async (_, method, path, body, status, shape) => {
    const { token } = await makeUser(server)
    const answer = await send(method, path, body || undefined, token)
    expect(answer.status).toBe(status)
    if (method !== 'GET') expect(misfits(answer.body, shape)).toEqual([])
    else expect(answer.body.data).toEqual({ items: [], total: 0, page: 1, page_size: 20, total_pages: 0 })
  })

  test('of study and factory: registering', async () => {
    const study = await send(
      'POST',
      '/api/auth/register',
      '{\n  "username": "testuser",\n  "email": "test@example.com",\n  "password": "password123"\n}',
    )
    expect(study.status).toBe(201)
    expect(misfits(study.body, { access_token: 'jwt', token_type: 'string' })).toEqual([])
    const body =
      '{\n  "email": "newuser@example.com",\n  "username": "newuser",\n  "password": "password123",\n  "full_name": "新用户"\n}'
    const factory = await send('POST', '/api/auth/register', body)
    expect(factory.status).toBe(201)
    const signIn = '{\n  "email": "newuser@example.com",\n  "password": "password123"\n}'
    expect((await send('POST', '/api/auth/login', signIn)).body.data.user.username).toBe('newuser')
    const learning =
      '{\n  "email": "learner@example.com",\n  "name": "用户名",\n  "password": "your-password"\n}'
    expect((await send('POST', '/api/v1/auth/register', learning)).status).toBe(201)
  })

  test('of factory: administration, by the UUID that its answers show', async () => {
    const { user } = await makeUser(server)
    const { token } = await makeUser(server, { role: 'admin' })
    const list = await send(
      'GET',
      '/api/admin/users?page=1&page_size=20&role=user&is_active=true',
      undefined,
      token,
    )
    expect(list.status).toBe(200)
    expect(list.body.data.items.map(({ id }: { id: string }) => id)).toContain(user.uuid)
    const change = '{\n  "role": "admin",\n  "is_active": false,\n  "balance": 200.0\n}'
    const answer = await send('PUT', `/api/admin/users/${user.uuid}`, change, token)
    expect(answer.status).toBe(200)
    expect(answer.body.data).toMatchObject({ role: 'admin', is_active: false, balance: 200 })
  })

  test('cancel, retry and delete need no body and no content type, whatever a client adds', async () => {
    const owner = await makeUser(server)
    const task = await makeTask(server, owner)
    for (const [method, path, status] of [
      ['POST', `/api/tasks/${task.uuid}/cancel`, 'cancelled'],
      ['POST', `/api/tasks/${task.uuid}/retry`, 'pending'],
      ['DELETE', `/api/tasks/${task.uuid}`, undefined],
    ] as const) {
      const answer = await send(method, path, undefined, owner.token)
      expect(answer.status).toBe(200)
      expect(answer.body.data.status).toBe(status)
    }
  })
})
