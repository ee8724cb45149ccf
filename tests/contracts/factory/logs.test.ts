/** The logs over REST: docs/contracts/factory.md, "Logs", and docs/contracts/study.md, "Task logs". */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { addLogs } from '../../../src/core/tasks/logs.ts'
import { createLogger } from '../../../src/util/logger.ts'
import { type Ask, api } from '../../support/api.ts'
import { makeTask, makeUser, type TestUser } from '../../support/factories.ts'
import { eventually } from '../../support/process.ts'
import { query, startServer } from '../../support/server.ts'

const server = await startServer({}, { log: createLogger('info', { write() {} }) })
afterAll(() => server.stop())

const today = new Date().toISOString().slice(0, 10)
let admin: TestUser
let owner: TestUser
beforeAll(async () => {
  admin = await makeUser(server, { role: 'admin' })
  owner = await makeUser(server)
})

const get = (path: string, ask: Ask = {}) => api(server, 'GET', `/api${path}`, { token: admin.token, ...ask })
const items = async (path: string) => (await get(path)).body.data.items
const params = (of: Record<string, string | number>) =>
  new URLSearchParams(
    Object.entries(of).map(([name, value]): [string, string] => [name, String(value)]),
  ).toString()

const PATHS = ['/logs/system', '/logs/user-actions', '/logs/download?log_type=system&date=2020-01-01']
test.each(PATHS)('%s is for administrators', async (path) => {
  expect((await get(path)).status).toBe(200)
  expect((await get(path, { token: owner.token })).status).toBe(403)
  expect((await api(server, 'GET', `/api${path}`)).status).toBe(401)
})

describe('GET /logs/system', () => {
  test('has the lines of requests, newest first, with the id that the answers carry', async () => {
    const id = (await get(`/tasks/${'0'.repeat(8)}`)).headers.get('x-request-id')!
    // The line of a request follows its answer.
    const data = await eventually(async () => {
      await server.ctx.services.systemLog.flush()
      const { data } = (await get(`/logs/system?page_size=1&search=${id.toUpperCase()}`)).body
      return data.total === 1 && data
    }, 'the line of the request')
    expect(data).toMatchObject({ page: 1, page_size: 1, total_pages: 1, searched_from: null })
    expect(data.items[0]).toMatchObject({
      level: 'INFO',
      message: 'request',
      fields: { id, method: 'GET', path: '/api/tasks/00000000', status: 404 },
    })
    expect((await get('/logs/system')).body.data.page_size).toBe(50)
  })

  test('filters by level, days and text, all together', async () => {
    server.ctx.log.error({ path: '/任务' }, 'Etwas ging schief')
    await server.ctx.services.systemLog.flush()
    const found = async (filter: Record<string, string>) =>
      (await items(`/logs/system?${params(filter)}`)).map(({ message }: { message: string }) => message)
    const all = { level: 'ERROR', start_date: today, end_date: today, search: 'ETWAS' }
    expect(await found(all)).toEqual(['Etwas ging schief'])
    expect(await found({ ...all, search: '任务' })).toEqual(['Etwas ging schief'])
    for (const other of [
      { level: 'WARNING' },
      { end_date: '2020-01-31' },
      { start_date: '2999-01-01' },
      { search: 'x\0y' },
    ])
      expect(await found({ ...all, ...other })).toEqual([])
  })

  const WRONG = {
    level: ['error', 'FATAL', ''],
    start_date: ['2024-02-30', '2024-1-1', 'today', '0000-01-01', '20240101'],
    end_date: ['2023-02-29', '2024-13-01', '2024-01-01T00:00:00Z'],
    page: ['0', '-1', '1.5', 'x'],
    page_size: ['0', '501'],
    search: ['x'.repeat(101)],
  }
  test.each(Object.entries(WRONG))('refuses a wrong %s', async (name, values) => {
    for (const value of values) {
      const { status, body } = await get(`/logs/system?${params({ [name]: value })}`)
      expect([value, status, body.error_code]).toEqual([value, 422, 'VALIDATION_ERROR'])
      expect(Object.keys(body.details.field_errors)).toEqual([name])
    }
  })
})

describe('GET /logs/user-actions', () => {
  test('has what a user did and what was done to them, by either id', async () => {
    const { user } = owner
    await api(server, 'PUT', `/api/admin/users/${user.id}`, { token: admin.token, body: { balance: 12.5 } })
    const byNumber = await items(`/logs/user-actions?user_id=${user.id}`)
    expect(byNumber).toEqual(await items(`/logs/user-actions?user_id=${user.uuid}`))
    expect(byNumber.length).toBeGreaterThan(0)
    const action = `/logs/user-actions?${params({ user_id: user.id, search: admin.user.username.toUpperCase() })}`
    expect(await items(action)).toMatchObject([{ user_id: admin.user.uuid, username: admin.user.username }])
    expect(await items(`${action}&end_date=2020-01-01`)).toEqual([])
    for (const nobody of ['0', 'x', Bun.randomUUIDv7(), '99999999999999999999'])
      expect(await items(`/logs/user-actions?user_id=${nobody}`)).toEqual([])
    expect((await get('/logs/user-actions?start_date=2024-02-30')).status).toBe(422)
  })
})

describe('the log of a task', () => {
  const LINES = 120
  let task: { id: number; uuid: string }
  beforeAll(async () => {
    task = await makeTask(server, owner)
    const lines = Array.from({ length: LINES }, (_, n) => ({
      taskId: task.id,
      attempt: 0,
      level: n % 10 === 0 ? 'ERROR' : 'INFO',
      message: `line ${n}`,
    }))
    await addLogs(server.ctx, lines)
  })
  const numbers = (lines: { message: string }[]) => lines.map(({ message }) => Number(message.split(' ')[1]))

  test('has pages, the oldest lines first, for its owner and administrators', async () => {
    for (const [token, id] of [
      [owner.token, task.uuid],
      [admin.token, String(task.id)],
    ]) {
      const { data } = (await get(`/logs/tasks/${id}?page=2&page_size=50`, { token: token! })).body
      expect(data).toMatchObject({ total: LINES, total_pages: 3 })
      expect(numbers(data.items)).toEqual(Array.from({ length: 50 }, (_, n) => 50 + n))
      const { position } = data.items.at(-1)
      const rest = (await get(`/logs/tasks/${id}?after=${position}&page_size=500`, { token: token! })).body
        .data.items
      expect(numbers(rest)).toEqual(Array.from({ length: 20 }, (_, n) => 100 + n))
      expect(rest[0]).toMatchObject({ task_id: task.uuid, attempt: 0, level: 'ERROR' })
    }
    const errors = await items(`/logs/tasks/${task.id}?level=ERROR`)
    expect(numbers(errors)).toEqual(Array.from({ length: 12 }, (_, n) => 10 * n))
  })

  test('does not exist for others', async () => {
    const other = await makeUser(server)
    for (const path of [
      `/logs/tasks/${task.id}`,
      `/tasks/${task.id}/logs`,
      '/logs/tasks/x',
      '/tasks/999999999/logs',
    ])
      expect((await get(path, { token: other.token })).status).toBe(404)
  })

  test('study: a bare list of the newest lines, or of those behind a line', async () => {
    const lines = async (rest = '') =>
      (await get(`/tasks/${task.id}/logs${rest}`, { token: owner.token })).body as {
        id: number
        message: string
      }[]
    expect(numbers(await lines())).toEqual(Array.from({ length: 100 }, (_, n) => 20 + n))
    expect(numbers(await lines('?limit=2&level=ERROR'))).toEqual([100, 110])
    const [first] = await lines('?after=0&limit=1')
    expect(numbers([first!])).toEqual([0])
    expect(numbers(await lines(`?after=${first!.id}&limit=2`))).toEqual([1, 2])
    for (const wrong of ['?limit=0', '?limit=1001', '?after=-1', '?after=9999999999', '?level=x'])
      expect((await get(`/tasks/${task.id}/logs${wrong}`)).status).toBe(422)
  })
})

describe('GET /logs/download', () => {
  /** Without the decompression that `fetch` does by itself. */
  const download = (query: Record<string, string>, headers: Record<string, string> = {}) =>
    fetch(`${server.url}/api/logs/download?${params(query)}`, {
      headers: { authorization: `Bearer ${admin.token}`, 'accept-encoding': 'identity', ...headers },
      decompress: false,
    } as RequestInit)
  const parsed = (text: string) =>
    text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))

  test.each(['system', 'user_actions', 'tasks'])(
    '%s: a file of one object a line, oldest first',
    async (type) => {
      await server.ctx.services.systemLog.flush()
      const answer = await download({ log_type: type, date: today })
      expect(answer.status).toBe(200)
      expect(answer.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8')
      expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="${type}-${today}.ndjson"`)
      const lines = parsed(await answer.text())
      expect(lines.length).toBeGreaterThan(2)
      const times = lines.map(({ created_at }) => created_at)
      expect(times).toEqual(times.toSorted())
      const keys = { system: 'fields', user_actions: 'action', tasks: 'position' }[type]!
      expect(lines[0]).toHaveProperty(keys)
      expect(await (await download({ log_type: type, date: '2020-02-29' })).text()).toBe('')
    },
  )

  test('more entries than one page has are there once each', async () => {
    await query(
      server,
      sql`
      insert into audit_log (at, action) select '2021-05-05T12:00Z'::timestamptz + n * interval '1 ms', 'task.cancelled'
      from generate_series(1, 2500) n`,
    )
    const lines = parsed(await (await download({ log_type: 'user_actions', date: '2021-05-05' })).text())
    expect(new Set(lines.map(({ id }) => id)).size).toBe(2500)
  })

  test.each([
    ['gzip', true],
    ['gzip;q=0', false],
    ['br, gzip;q=0.5', true],
    ['identity, gzip;q=0.5', false],
    ['*', true],
    ['*;q=0, gzip;q=0.1', true],
    ['GZIP ; Q=1.0', true],
    ['deflate, br', false],
    ['', false],
  ])('Accept-Encoding %j: compressed is %p', async (field, compressed) => {
    const answer = await download({ log_type: 'tasks', date: today }, { 'accept-encoding': field })
    expect(answer.headers.get('content-encoding')).toBe(compressed ? 'gzip' : null)
    expect(answer.headers.get('vary')).toContain('Accept-Encoding')
    const bytes = new Uint8Array(await answer.arrayBuffer())
    const text = new TextDecoder().decode(compressed ? Bun.gunzipSync(bytes) : bytes)
    expect(parsed(text).length).toBeGreaterThan(10)
  })

  test.each([
    ['log_type', '../../etc/passwd'],
    ['log_type', 'System'],
    ['log_type', ''],
    ['date', '2024-02-30'],
    ['date', '../2024-01-01'],
    ['date', '2024-01-01/../..'],
    ['date', ''],
  ])('%s %j is wrong input', async (name, value) => {
    const answer = await get(`/logs/download?${params({ log_type: 'system', date: today, [name]: value })}`)
    expect([answer.status, Object.keys(answer.body.details.field_errors)]).toEqual([422, [name]])
  })

  test('breaks off when the session ends', async () => {
    await query(
      server,
      sql`
      insert into audit_log (at, action, user_agent)
      select '2021-06-06T12:00Z'::timestamptz, 'task.cancelled', repeat('x', 1000) from generate_series(1, 20000)`,
    )
    const reader = await makeUser(server, { role: 'admin' })
    const answer = await fetch(`${server.url}/api/logs/download?log_type=user_actions&date=2021-06-06`, {
      headers: { authorization: `Bearer ${reader.token}`, 'accept-encoding': 'identity' },
    })
    const stream = answer.body!.getReader()
    await stream.read()
    await api(server, 'POST', '/api/auth/logout', { token: reader.token })
    const rest = (async () => {
      for (;;) if ((await stream.read()).done) return 'complete'
    })()
    expect(await rest.catch(() => 'broken off')).toBe('broken off')
  })
})
