import { afterAll, expect, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import { leaseTasks } from '../../../src/core/tasks/queue.ts'
import { nodes, tasks } from '../../../src/db/schema/index.ts'
import { makeNode, makeTask, makeUser, unique } from '../../support/factories.ts'
import { startServer } from '../../support/server.ts'

// Nodes that are only in the database: no sweep finds them silent while this runs.
const server = await startServer({ NODE_HEARTBEAT_SECONDS: '60' })
afterAll(() => server.stop())
const { ctx } = server

const slotOf = (
  { id, socket }: { id: number; socket: number },
  type: string,
  change: { free?: number; probing?: boolean } = {},
) => ({
  nodeId: id,
  socket,
  taskTypes: new Set([type]),
  free: 1,
  refused: new Set<string>(),
  probing: false,
  ...change,
})

test('a limit that another server has lowered counts at once, with the tasks that the node has', async () => {
  const owner = await makeUser(server)
  const [type, other] = [unique('type_'), unique('type_')]
  const [small, large] = [(await makeNode(server)).node, (await makeNode(server)).node]
  const able = { online: true, taskTypes: [type, other], maxConcurrentTasks: 9 }
  for (const { id } of [small, large]) await ctx.db.update(nodes).set(able).where(eq(nodes.id, id))
  const [first, second, third] = [
    await makeTask(server, owner, { taskType: type }),
    await makeTask(server, owner, { taskType: type }),
    await makeTask(server, owner, { taskType: type }),
  ]
  const elsewhere = await makeTask(server, owner, { taskType: other })
  const lowered = (limit: number) =>
    ctx.db.update(nodes).set({ maxConcurrentTasks: limit }).where(eq(nodes.id, small.id))
  // This server still knows nine slots.
  const leased = async () => {
    const slots = [slotOf(small, type, { free: 9 }), slotOf(large, other, { free: 9 })]
    return (await leaseTasks(ctx, slots)).map(({ task }) => task.uuid)
  }
  await lowered(2)
  expect(await leased()).toEqual([first.uuid, second.uuid, elsewhere.uuid])
  expect(await leased()).toEqual([])
  await ctx.db.update(tasks).set({ status: 'completed' }).where(eq(tasks.id, first.id))
  await lowered(1)
  expect(await leased()).toEqual([])
  await ctx.db.update(tasks).set({ status: 'cancelled' }).where(eq(tasks.id, second.id))
  expect(await leased()).toEqual([third.uuid])
})

test('a node that does not answer does not get a task again while another node is online, however busy', async () => {
  const owner = await makeUser(server)
  const type = unique('type_')
  const { node } = await makeNode(server)
  const busy = (await makeNode(server)).node
  const able = { online: true, taskTypes: [type] }
  for (const { id } of [node, busy]) await ctx.db.update(nodes).set(able).where(eq(nodes.id, id))
  const lost = await makeTask(server, owner, { taskType: type, priority: 9 })
  const long = { lostBy: [node.id], updatedAt: sql`now() - interval '1 day'` }
  await ctx.db.update(tasks).set(long).where(eq(tasks.id, lost.id))
  const fresh = await makeTask(server, owner, { taskType: type })
  const leased = async (probing: boolean) =>
    (await leaseTasks(ctx, [slotOf(node, type, { probing })])).map(({ task }) => task.uuid)
  expect(await leased(true)).toEqual([fresh.uuid])
  expect(await leased(true)).toEqual([])
  // A node that answers gets the task after the wait, and so does the only node.
  expect(await leased(false)).toEqual([lost.uuid])
  await ctx.db
    .update(tasks)
    .set({ nodeId: null, ...long })
    .where(eq(tasks.id, lost.id))
  await ctx.db.update(nodes).set({ online: false }).where(eq(nodes.id, busy.id))
  expect(await leased(true)).toEqual([lost.uuid])
})
