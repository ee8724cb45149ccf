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
  const slot = (probing: boolean) => ({
    nodeId: node.id,
    socket: node.socket,
    taskTypes: new Set([type]),
    free: 1,
    refused: new Set<string>(),
    probing,
  })
  const leased = async (probing: boolean) =>
    (await leaseTasks(ctx, [slot(probing)])).map(({ task }) => task.uuid)
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
