import { afterAll, expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { Sweeper } from '../../src/core/nodes/sweeper.ts'
import type { Task } from '../../src/core/tasks/tasks.ts'
import { tasks } from '../../src/db/schema/index.ts'
import { makeNode, makeTask, makeUser } from '../support/factories.ts'
import { startServer } from '../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())
const { core, nodeControl } = server.context

test('a sweep that lasts keeps no other from its turn: an unanswered assignment is taken back', async () => {
  const task = await makeTask(server, await makeUser(server))
  const { node } = await makeNode(server)
  // The server's own sweeps would do what the ones below miss.
  await nodeControl.close()
  const leasedAt = new Date(Date.now() - 60_000)
  await core.db.update(tasks).set({ nodeId: node.id, attempt: 1, leasedAt }).where(eq(tasks.id, task.id))
  const seen = Promise.withResolvers<Task>()
  let calls = 0
  const sweeper = new Sweeper(core, nodeControl.fleet, async () => {
    calls++
    // From the second second on, beyond the fifth, when assignments are looked at; the third call comes before the tenth.
    if (calls === 1) await Bun.sleep(3500)
    if (calls === 3) seen.resolve((await core.db.select().from(tasks).where(eq(tasks.id, task.id)))[0]!)
  })
  try {
    expect(await seen.promise).toMatchObject({ nodeId: null, lostAttempts: 1 })
  } finally {
    sweeper.close()
  }
})
