import { afterAll, expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { ConnectedNode, type NodeLink } from '../../../src/core/nodes/connected-node.ts'
import { Sweeper } from '../../../src/core/nodes/sweeper.ts'
import { tasks } from '../../../src/db/schema/index.ts'
import { makeNode, makeTask, makeUser } from '../../support/factories.ts'
import { startServer } from '../../support/server.ts'

const server = await startServer()
afterAll(() => server.stop())
const { ctx } = server
const { nodeControl } = ctx.services

/** A task that was assigned to a new node this long ago. */
async function leased(seconds: number) {
  const task = await makeTask(server, await makeUser(server))
  const { node } = await makeNode(server)
  const leasedAt = new Date(Date.now() - seconds * 1000)
  await ctx.db.update(tasks).set({ nodeId: node.id, attempt: 1, leasedAt }).where(eq(tasks.id, task.id))
  const stored = async () => (await ctx.db.select().from(tasks).where(eq(tasks.id, task.id)))[0]!
  return { node, stored }
}

const link = (backlog: number) => ({ backlog, end() {}, cancel() {} }) as unknown as NodeLink

const lost = { nodeId: null, lostAttempts: 1 }
const kept = { nodeId: expect.any(Number), lostAttempts: 0 }

test('unanswered assignments are taken back, whatever else is swept; a slow server does not make a node silent', async () => {
  // The server's own sweeps would hide a mistake of the sweeps below.
  await nodeControl.close()
  const silent = await leased(15)
  const unread = await leased(60)
  const ofAnotherServer = await leased(15)
  const ofNoServer = await leased(60)
  for (const [{ node }, backlog] of [
    [silent, 0],
    [unread, 1],
  ] as const) {
    nodeControl.fleet.attach(new ConnectedNode(node, link(backlog), new Set(), 1))
  }
  const seen = Promise.withResolvers<object[]>()
  let calls = 0
  const sweeper = new Sweeper(ctx, nodeControl.fleet, async () => {
    calls++
    // From the second second to after the fifth, when the sweep reads assignments; the third call comes before the tenth.
    if (calls === 1) await Bun.sleep(3500)
    if (calls === 3) {
      const leases = [silent, unread, ofAnotherServer, ofNoServer]
      seen.resolve(await Promise.all(leases.map(({ stored }) => stored())))
    }
  })
  try {
    expect(await seen.promise).toMatchObject([lost, kept, kept, lost])
  } finally {
    sweeper.close()
  }
})
