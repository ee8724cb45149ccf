/** GET /v1/audit, and what it finds. */
import { afterAll, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { trimAudit } from '../../../src/core/audit/jobs.ts'
import { listAudit } from '../../../src/core/audit/list.ts'
import { auditLog } from '../../../src/db/schema/index.ts'
import { api } from '../../support/api.ts'
import { makeUser } from '../../support/factories.ts'
import { startServer } from '../../support/server.ts'

const server = await startServer({ AUDIT_KEEP_DAYS: '365' })
const { ctx } = server
afterAll(() => server.stop())
const admin = await makeUser(server, { role: 'admin' })
const page = { page: 1, pageSize: 100 }

const ADA = 1_000_001
const BO = 1_000_002
const day = (text: string) => sql`${text}::timestamptz`
const row = { actorId: ADA, actorName: 'ada', subjectId: ADA, ip: '192.0.2.1', requestId: 'r-1' }
const stored = await ctx.db
  .insert(auditLog)
  .values([
    {
      ...row,
      action: 'photo.created',
      targetType: 'photo',
      targetId: '900001',
      at: day('2024-03-01T00:00:00Z'),
    },
    {
      ...row,
      action: 'photo_file.deleted',
      targetType: 'photo_file',
      targetId: '900001',
      at: day('2024-03-01T23:59:59.999Z'),
    },
    {
      ...row,
      actorId: BO,
      actorName: 'bo_100%',
      action: 'photo.deleted',
      targetType: 'photo',
      targetId: '900001',
      details: { title: '夜景' },
      requestId: 'r-2',
      at: day('2024-03-02T00:00:00Z'),
    },
    { action: 'user.sign_in_failed', ip: '198.51.100.7', at: day('2024-03-03T12:00:00Z') },
  ])
  .returning({ id: auditLog.id })
const [created, file, deleted, failed] = stored.map(({ id }) => id)
const idsOf = ({ entries }: Awaited<ReturnType<typeof listAudit>>) => entries.map(({ id }) => id)

test.each([
  ['by or about a user', { userId: ADA }, [deleted, file, created]],
  ['of another one', { userId: BO }, [deleted]],
  ['an action', { action: 'photo.deleted', userId: ADA }, [deleted]],
  ['the actions of a noun', { action: 'photo', userId: ADA }, [deleted, created]],
  ['a target', { targetType: 'photo', targetId: '900001' }, [deleted, created]],
  ['a request', { requestId: 'r-1' }, [file, created]],
  ['a day, both ends of it', { from: '2024-03-01', to: '2024-03-01' }, [file, created]],
  ['from a day on', { from: '2024-03-02', to: '2024-12-31' }, [failed, deleted]],
  ['a part of a name, whose wildcards mean themselves', { search: 'O_100%' }, [deleted]],
  ['a wildcard that nothing has', { search: 'bo_100_' }, []],
  ['a part of the details', { search: '夜' }, [deleted]],
  ['an address', { search: '198.51.100.7' }, [failed]],
  ['what is older', { userId: ADA, before: deleted }, [file, created]],
  ['an unknown action', { action: 'photo.x' }, []],
] as const)('finds %s', async (_, filter, found) => {
  const result = await listAudit(ctx, filter, page)
  expect(idsOf(result)).toEqual(found.map((id) => id!))
  expect(result.total).toBe(found.length)
})

test('pages end after 10,000 entries, and what is older follows by id', async () => {
  await ctx.db.execute(sql`
    insert into audit_log (actor_id, action, at) select 1000003, 'task.cancelled', '2024-03-04' from generate_series(1, 10005)`)
  const many = { userId: 1_000_003 }
  const last = await listAudit(ctx, many, { page: 103, pageSize: 98 })
  expect([last.entries.length, last.total]).toEqual([4, 10_000])
  expect(idsOf(await listAudit(ctx, many, { page: 104, pageSize: 98 }))).toEqual([])
  expect(idsOf(await listAudit(ctx, many, { page: 2 ** 53, pageSize: 98 }))).toEqual([])
  const older = await listAudit(ctx, { ...many, before: last.entries.at(-1)!.id }, page)
  expect(older.total).toBe(5)
})

test('a search looks at the newest 500,000 ids, and `before` or a day leads further', async () => {
  await ctx.db.execute(sql`select setval('audit_log_id_seq', (select max(id) from audit_log) + 499999)`)
  const [newest] = await ctx.db
    .insert(auditLog)
    .values({ action: 'task.cancelled', at: day('2024-03-05T00:00:00Z') })
    .returning({ id: auditLog.id })
  const search = 'bo_100%'
  expect(await listAudit(ctx, { search }, page)).toEqual({ entries: [], total: 0 })
  for (const further of [{ before: newest!.id }, { to: '2024-03-03' }])
    expect(idsOf(await listAudit(ctx, { search, ...further }, page))).toEqual([deleted!])
})

test('an administrator reads pages, the newest first', async () => {
  const { status, body } = await api(server, 'GET', `/v1/audit?user_id=${ADA}&limit=2&page=1`, {
    token: admin.token,
  })
  expect(status).toBe(200)
  expect(body.pagination).toEqual({
    page: 1,
    limit: 2,
    total: 3,
    total_pages: 2,
    has_next: true,
    has_prev: false,
  })
  expect(body.data).toEqual([
    {
      id: deleted,
      created_at: '2024-03-02T00:00:00.000Z',
      actor: { id: BO, username: 'bo_100%' },
      action: 'photo.deleted',
      target: { type: 'photo', id: '900001' },
      subject_id: ADA,
      details: { title: '夜景' },
      ip: '192.0.2.1',
      user_agent: '',
      request_id: 'r-2',
    },
    expect.objectContaining({ id: file, action: 'photo_file.deleted' }),
  ])
  const rest = await api(server, 'GET', `/v1/audit?before_id=${file}&user_id=${ADA}`, { token: admin.token })
  expect(rest.body.data.map(({ id }: { id: number }) => id)).toEqual([created])
  const [anonymous] = (
    await api(server, 'GET', '/v1/audit?date_from=2024-03-03&date_to=2024-03-03', { token: admin.token })
  ).body.data
  expect(anonymous).toMatchObject({ id: failed, actor: null, target: null, subject_id: null, request_id: '' })
})

test('nobody else reads it, and wrong filters are refused', async () => {
  for (const role of ['user', 'editor'] as const) {
    const { token } = await makeUser(server, { role })
    const denied = await api(server, 'GET', '/v1/audit', { token })
    expect(denied.status).toBe(403)
    expect(denied.body.error.details).toEqual({ required_permission: 'audit.read', user_role: role })
  }
  expect((await api(server, 'GET', '/v1/audit')).status).toBe(401)
  const wrong = [
    'user_id=x',
    'action=PHOTO',
    'date_from=2024-02-30',
    'limit=101',
    'page=0',
    'before_id=0',
    'target_id=',
  ]
  for (const query of wrong) {
    expect((await api(server, 'GET', `/v1/audit?${query}`, { token: admin.token })).status, query).toBe(400)
  }
  const zero = await api(server, 'GET', '/v1/audit?search=%00', { token: admin.token })
  expect(zero.status).toBe(400)
})

test('the schedule deletes what AUDIT_KEEP_DAYS does not keep', async () => {
  expect(await trimAudit(ctx)).toBe(4 + 10_005 + 1)
  expect(idsOf(await listAudit(ctx, { userId: ADA }, page))).toEqual([])
  expect(await trimAudit({ ...ctx, config: { ...ctx.config, auditKeepDays: 0 } })).toBeUndefined()
})
