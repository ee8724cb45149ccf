/** GPU tasks that wait for a type that no node offers: docs/contracts/factory.md, "Tasks". */
import { afterAll, expect, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import { readEvents } from '../../../src/core/channel/log.ts'
import { Placement } from '../../../src/core/nodes/placement.ts'
import { forgetPlaceable, tellUnplaceable, unofferedTypes } from '../../../src/core/tasks/placement.ts'
import { leaseTasks } from '../../../src/core/tasks/queue.ts'
import { nodes, tasks } from '../../../src/db/schema/index.ts'
import { api } from '../../support/api.ts'
import { makeNode, makeTask, makeUser, type TestUser, unique } from '../../support/factories.ts'
import { query, startServer } from '../../support/server.ts'

// The nodes of these tests have no sockets, so the server must not find them silent.
const server = await startServer({ NODE_HEARTBEAT_SECONDS: '60' })
afterAll(() => server.stop())
const { ctx } = server

/** The id of a node that offers these types. */
async function offer(...taskTypes: string[]): Promise<number> {
  const { node } = await makeNode(server)
  await ctx.db.update(nodes).set({ online: true, taskTypes }).where(eq(nodes.id, node.id))
  return node.id
}
const withdraw = (id: number) => ctx.db.update(nodes).set({ online: false }).where(eq(nodes.id, id))
const told = async ({ user }: TestUser) =>
  (await readEvents(ctx, user.id, 0, 100))
    .filter(({ type }) => type === 'task.unplaceable')
    .map(({ data }) => JSON.parse(data))
const detailOf = async ({ token }: TestUser, id: number) =>
  (await api(server, 'GET', `/api/tasks/${id}`, { token })).body.data
const sweep = () => new Placement(ctx, 0).sweep()
const newType = () => unique('t.').toLowerCase()

test('the detail of a task says which types there are instead, from its creation on', async () => {
  const owner = await makeUser(server)
  const [missing, there] = [newType(), newType()]
  const node = await offer(there, 'zebra')
  const body = { title: 'a', task_type: missing }
  const created = await api(server, 'POST', '/api/tasks', { token: owner.token, body })
  const { waiting_for: lack, id } = created.body.data
  expect(lack).toMatchObject({ reason: 'no_node_offers_type', task_type: missing })
  expect(lack.available_types).toEqual([...lack.available_types].sort())
  expect(lack.available_types).toContain(there)
  expect((await detailOf(owner, id)).waiting_for).toEqual(lack)
  await offer(missing)
  expect((await detailOf(owner, id)).waiting_for).toBeNull()
  await withdraw(node)
})

test('a task that a node can run, a study task, and one that has ended wait for nothing', async () => {
  const owner = await makeUser(server)
  const [there, missing] = [newType(), newType()]
  await offer(there)
  const able = await makeTask(server, owner, { taskType: there })
  const ended = await makeTask(server, owner, { taskType: missing })
  await api(server, 'POST', `/api/tasks/${ended.id}/cancel`, { token: owner.token })
  const body = { name: 'b', course_ids: ['1'] }
  const study = (await api(server, 'POST', '/api/tasks', { token: owner.token, body })).body
  for (const { id } of [able, ended, study]) expect((await detailOf(owner, id)).waiting_for).toBeNull()
  await sweep()
  expect(await told(owner)).toEqual([])
})

test('its owner is told once, by one server, and again only after a node has offered the type', async () => {
  const owner = await makeUser(server)
  const [type, there] = [newType(), newType()]
  await offer(there)
  const task = await makeTask(server, owner, { taskType: type })
  // Two servers at the same moment.
  await Promise.all([sweep(), sweep()])
  await sweep()
  const events = await told(owner)
  expect(events).toHaveLength(1)
  expect(events[0]).toMatchObject({ task_id: task.uuid, status: 'pending', task_type: type })
  expect(events[0].available_types).toContain(there)
  const node = await offer(type)
  await sweep()
  await withdraw(node)
  await sweep()
  expect(await told(owner)).toHaveLength(2)
})

test('a type has to be missing for the time of grace', async () => {
  const owner = await makeUser(server)
  const type = newType()
  await makeTask(server, owner, { taskType: type })
  const placement = new Placement(ctx, 60_000)
  for (const _ of [1, 2]) await placement.sweep()
  expect(await told(owner)).toEqual([])
})

test.each([
  ['offline', { online: false }],
  ['draining', { draining: true }],
  ['deleted', { deletedAt: new Date() }],
])('a node that is %s offers nothing', async (_, state) => {
  const owner = await makeUser(server)
  const type = newType()
  const node = await offer(type)
  await ctx.db.update(nodes).set(state).where(eq(nodes.id, node))
  const { id } = await makeTask(server, owner, { taskType: type })
  const lack = (await detailOf(owner, id)).waiting_for
  expect(lack.task_type).toBe(type)
  expect(lack.available_types).not.toContain(type)
  await sweep()
  expect(await told(owner)).toHaveLength(1)
})

test('a lease, an end and a node that comes clear the note', async () => {
  const owner = await makeUser(server)
  const type = newType()
  const [leased, ended, waiting] = await Promise.all(
    [1, 2, 3].map(() => makeTask(server, owner, { taskType: type })),
  )
  await sweep()
  const noted = async () =>
    (
      await query(
        server,
        sql`select id from tasks where task_type = ${type} and unplaceable_at is not null order by id`,
      )
    ).map(({ id }) => id)
  const ids = [leased, ended, waiting].map((task) => task!.id)
  expect(await noted()).toEqual([...ids].sort((a, b) => a - b))
  await api(server, 'POST', `/api/tasks/${ended!.id}/cancel`, { token: owner.token })
  await ctx.db.update(tasks).set({ priority: 9 }).where(eq(tasks.id, leased!.id))
  const nodeId = await offer(type)
  const slot = {
    nodeId,
    socket: 0,
    taskTypes: new Set([type]),
    free: 1,
    probing: false,
    refused: new Set<string>(),
  }
  expect((await leaseTasks(ctx, [slot])).map(({ task }) => task.id)).toEqual([leased!.id])
  expect(await noted()).toEqual([waiting!.id])
  await forgetPlaceable(ctx)
  expect(await noted()).toEqual([])
})

test('more tasks than a batch, of several owners, are all told', async () => {
  const [one, two] = [await makeUser(server), await makeUser(server)]
  const types = [newType(), newType()]
  await query(
    server,
    sql`insert into tasks (uuid, user_id, kind, title, task_type)
      select gen_random_uuid(), case n % 2 when 0 then ${one.user.id}::int else ${two.user.id}::int end, 'gpu', 'many',
        case n % 2 when 0 then ${types[0]} else ${types[1]} end
      from generate_series(1, 600) n`,
  )
  expect(await unofferedTypes(ctx)).toEqual(expect.arrayContaining(types))
  await tellUnplaceable(ctx, types)
  const [row] = await query(
    server,
    sql`select count(*)::int as n from tasks where title = 'many' and unplaceable_at is not null`,
  )
  expect(row!.n).toBe(600)
  for (const type of types) expect(await unofferedTypes(ctx)).not.toContain(type)
  expect(await told(one)).toHaveLength(100)
})
