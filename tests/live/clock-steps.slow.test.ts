/** Protects against steps of a wall clock, of the server or of the database, while they work. */
import { afterAll, describe, expect, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import { expireAssignments } from '../../src/core/tasks/expiry.ts'
import { nodes, tasks } from '../../src/db/schema/index.ts'
import { Ages } from '../../src/util/ages.ts'
import { Rate } from '../../src/util/rate.ts'
import { SteppedClock } from '../support/clock.ts'
import { makeNode, makeTask, makeUser } from '../support/factories.ts'
import { eventually } from '../support/process.ts'
import { query, startServer } from '../support/server.ts'
import { heartbeat, openLive, openNode } from '../support/sockets.ts'

const server = await startServer({ NODE_HEARTBEAT_SECONDS: '1' })
afterAll(() => server.stop())
const { ctx } = server
const { hub } = ctx.live

const HOUR_MS = 3_600_000
const stored = async (id: number) => (await ctx.db.select().from(nodes).where(eq(nodes.id, id)))[0]!
const goesOffline = (id: number) =>
  eventually(async () => !(await stored(id)).online, 'the node is offline', 15_000)

describe.each([
  ['back', -HOUR_MS],
  ['forward', HOUR_MS],
])('the clock of the server is set %s by an hour', (_, ms) => {
  test('no socket is closed, and frames are handled', async () => {
    using clock = new SteppedClock()
    const live = await openLive(server, (await makeUser(server)).token)
    const node = await openNode(server, (await makeNode(server)).token)
    clock.step(ms)
    const until = performance.now() + 2500
    for (let id = 0; performance.now() < until; id++) {
      live.send({ type: 'ping', id })
      node.send(heartbeat())
      await live.next('pong', (frame) => frame.id === id)
      await Bun.sleep(100)
    }
    expect([live.closed, node.closed]).toEqual([undefined, undefined])
    expect([...hub.all()]).not.toBeEmpty()
    live.close()
    node.close()
  })

  test('a node whose socket is silent goes offline, and one that has left', async () => {
    using clock = new SteppedClock()
    const [silent, left] = [await makeNode(server), await makeNode(server)]
    const socket = await openNode(server, silent.token)
    ;(await openNode(server, left.token)).close()
    const alive = await makeNode(server)
    const beating = await openNode(server, alive.token)
    const beat = setInterval(() => beating.send(heartbeat()), 300)
    clock.step(ms)
    await goesOffline(silent.node.id)
    await goesOffline(left.node.id)
    expect((await stored(alive.node.id)).online).toBe(true)
    clearInterval(beat)
    socket.close()
    beating.close()
  })
})

describe('the clock of the database is set', () => {
  /** A node that another server heard at that time of the database's clock. */
  async function heardElsewhere(offset: string) {
    const { node } = await makeNode(server)
    const at = sql`now() + ${offset}::interval`
    await ctx.db.update(nodes).set({ online: true, lastHeartbeatAt: at }).where(eq(nodes.id, node.id))
    return node.id
  }

  test('a dead node goes offline though its last heartbeat lies in the future', async () => {
    await goesOffline(await heardElsewhere('1 hour'))
  })

  test('a node with a socket too', async () => {
    const { node, token } = await makeNode(server)
    const socket = await openNode(server, token)
    await eventually(async () => (await stored(node.id)).cpuUsage > 0, 'its reading is stored')
    await query(
      server,
      sql`update nodes set last_heartbeat_at = now() + interval '1 hour' where id = ${node.id}`,
    )
    await goesOffline(node.id)
    socket.close()
  })

  test('a node that another server hears stays online, however old its heartbeats look', async () => {
    const id = await heardElsewhere('0 hours')
    const from = performance.now()
    while (performance.now() - from < 6500) {
      await query(
        server,
        sql`update nodes set last_heartbeat_at = now() - interval '1 hour' where id = ${id}`,
      )
      await Bun.sleep(200)
      expect((await stored(id)).online).toBe(true)
    }
    await goesOffline(id)
  })

  test('an assignment that nobody answers is taken back though it lies in the future', async () => {
    const task = await makeTask(server, await makeUser(server), { taskType: 'nobody_has_this' })
    const { node } = await makeNode(server)
    const leasedAt = sql`now() + interval '1 hour'`
    await ctx.db.update(tasks).set({ nodeId: node.id, attempt: 1, leasedAt }).where(eq(tasks.id, task.id))
    const lost = async () =>
      (await ctx.db.select().from(tasks).where(eq(tasks.id, task.id)))[0]!.lostAttempts === 1
    const ages = new Ages()
    const patience = (nodeId: number) => (nodeId === node.id ? 0.2 : Number.POSITIVE_INFINITY)
    await expireAssignments(ctx, ages, patience)
    expect(await lost()).toBe(false)
    await Bun.sleep(250)
    await expireAssignments(ctx, ages, patience)
    expect(await lost()).toBe(true)
  })
})

test('a budget of frames neither shrinks nor grows with the clock', () => {
  using clock = new SteppedClock()
  const budget = new Rate(0.001, 3)
  expect(budget.take()).toBe(true)
  clock.step(-HOUR_MS)
  expect(budget.take()).toBe(true)
  clock.step(2 * HOUR_MS)
  expect([budget.take(), budget.take()]).toEqual([true, false])
})
