import { afterAll, describe, expect, test } from 'bun:test'
import { and, eq, isNotNull, sql } from 'drizzle-orm'
import { ConnectedNode, type NodeLink } from '../../../src/core/nodes/connected-node.ts'
import { nodes, tasks } from '../../../src/db/schema/index.ts'
import { createLogger } from '../../../src/util/logger.ts'
import { api } from '../../support/api.ts'
import { makeNode, makeTask, makeUser, type TestUser, unique } from '../../support/factories.ts'
import { eventually } from '../../support/process.ts'
import { startServer } from '../../support/server.ts'
import { type Frame, heartbeat, hello, openLive, openNode, TestSocket } from '../../support/sockets.ts'

// Heartbeats of one second: a silent node is offline after three.
const logged: Frame[] = []
const log = createLogger('warn', { write: (line) => void logged.push(JSON.parse(line)) })
const server = await startServer({ NODE_HEARTBEAT_SECONDS: '1' }, { log })
afterAll(() => server.stop())
const { ctx } = server
const { nodeControl } = ctx.services
const admin = await makeUser(server, { role: 'admin' })

const ownType = () => unique('type_')
const lease = ({ task_id, attempt }: Frame) => ({ task_id, attempt })
const storedTask = async (uuid: string) => (await ctx.db.select().from(tasks).where(eq(tasks.uuid, uuid)))[0]!
const storedNode = async (id: number) => (await ctx.db.select().from(nodes).where(eq(nodes.id, id)))[0]!
const assigned = (socket: TestSocket) => socket.frames.filter((frame) => frame.type === 'assign')

function beat(socket: TestSocket): () => void {
  const timer = setInterval(() => socket.closed || socket.send(heartbeat()), 400)
  return () => clearInterval(timer)
}

/** A node that accepts every task and ends it at once. */
function diligent(socket: TestSocket): void {
  const seen = new Set<string>()
  void socket
    .until(
      (frames) => {
        for (const frame of frames) {
          const id = `${frame.task_id} ${frame.attempt}`
          if (frame.type !== 'assign' || seen.has(id)) continue
          seen.add(id)
          socket.send({ type: 'accept', ...lease(frame) })
          socket.send({ type: 'completed', ...lease(frame), result: {} })
        }
        return socket.closed
      },
      'the end of the test',
      60_000,
    )
    .catch(() => {})
}

const logsOf = async (owner: TestUser, id: number) =>
  (await api(server, 'GET', `/api/tasks/${id}`, { token: owner.token })).body.logs as Frame[]

describe('the log of a task', () => {
  test('has its lines in their order, also when other tasks log at the same time', async () => {
    const owner = await makeUser(server)
    const type = ownType()
    const made = [
      await makeTask(server, owner, { taskType: type }),
      await makeTask(server, owner, { taskType: type }),
    ]
    const socket = await openNode(server, (await makeNode(server)).token, { taskTypes: [type] })
    await socket.until(() => (assigned(socket).length === 2 ? true : undefined))
    const leases = assigned(socket).map(lease)
    for (const held of leases) socket.send({ type: 'accept', ...held })
    const line = (n: number) => `line ${String(n).padStart(2, '0')}`
    for (let n = 1; n <= 90; n++) {
      for (const held of leases) socket.send({ type: 'log', ...held, level: 'INFO', message: line(n) })
    }
    const said = Array.from({ length: 90 }, (_, n) => line(n + 1))
    for (const { id } of made) {
      const logs = await eventually(async () => {
        const lines = await logsOf(owner, id)
        return lines.length === 90 ? lines : undefined
      }, 'all lines are stored')
      expect(logs.map(({ message }) => message)).toEqual(said)
    }
    socket.close()
  })
})

describe('a retry', () => {
  test('goes to a node that has not lost the task, although another one has more room and does not answer', async () => {
    const owner = await makeUser(server)
    const type = ownType()
    const mute = await openNode(server, (await makeNode(server, 8)).token, { taskTypes: [type], max: 8 })
    const stopMute = beat(mute)
    const made = await Promise.all(
      Array.from({ length: 5 }, () => makeTask(server, owner, { taskType: type })),
    )
    await mute.until(() => (assigned(mute).length === 5 ? true : undefined), 'it gets all')
    const healthy = await openNode(server, (await makeNode(server, 1)).token, { taskTypes: [type], max: 1 })
    const stopHealthy = beat(healthy)
    diligent(healthy)
    // The test does not wait the ten seconds.
    const unanswered = and(eq(tasks.taskType, type), eq(tasks.status, 'pending'), isNotNull(tasks.nodeId))
    const expire = () =>
      ctx.db.update(tasks).set({ leasedAt: sql`now() - interval '1 hour'` }).where(unanswered)
    await expire()
    await eventually(
      async () => {
        const rows = await ctx.db.select().from(tasks).where(eq(tasks.taskType, type))
        return rows.every(({ status }) => status === 'completed')
      },
      'all tasks are completed',
      30_000,
    )
    for (const { uuid } of made) expect((await storedTask(uuid)).lostAttempts).toBe(1)
    expect(assigned(mute).length).toBe(5)
    for (const stop of [stopMute, stopHealthy]) stop()
    mute.close()
    healthy.close()
  })

  test('does not wait for another node when there is none, and hides no task behind it', async () => {
    const owner = await makeUser(server)
    const [type, other] = [ownType(), ownType()]
    const { node, token } = await makeNode(server, 1)
    const busy = await openNode(server, (await makeNode(server, 1)).token, { taskTypes: [type], max: 1 })
    const stopBusy = beat(busy)
    const occupying = await makeTask(server, owner, { taskType: type })
    busy.send({ type: 'accept', ...lease(await busy.next('assign', (f) => f.task_id === occupying.uuid)) })
    // This node has lost the task, so the task waits for the busy node; the task behind it does not wait.
    const waiting = await makeTask(server, owner, { taskType: type, priority: 9 })
    const alone = await makeTask(server, owner, { taskType: other, priority: 9 })
    const lostBy = { lostBy: [node.id], lostAttempts: 1, updatedAt: sql`now()` }
    for (const { id } of [waiting, alone]) await ctx.db.update(tasks).set(lostBy).where(eq(tasks.id, id))
    const behind = await makeTask(server, owner, { taskType: type })
    const socket = await openNode(server, token, { taskTypes: [type, other], max: 1 })
    const stop = beat(socket)
    for (const { uuid } of [alone, behind]) {
      const assign = await socket.next('assign', (f) => f.task_id === uuid)
      socket.send({ type: 'accept', ...lease(assign) })
      socket.send({ type: 'completed', ...lease(assign), result: {} })
      await socket.next('ack', (f) => f.task_id === uuid)
    }
    expect(assigned(socket).map(({ task_id }) => task_id)).toEqual([alone.uuid, behind.uuid])
    await ctx.db
      .update(tasks)
      .set({ updatedAt: sql`now() - interval '2 minutes'` })
      .where(eq(tasks.id, waiting.id))
    await socket.next('assign', (f) => f.task_id === waiting.uuid)
    for (const end of [stop, stopBusy]) end()
    socket.close()
    busy.close()
  })

  test('a node that lets assignments expire gets one at a time until it answers', async () => {
    const { node } = await makeNode(server, 8)
    const link = { backlog: 0, alive: true, quietMs: 0 } as unknown as NodeLink
    const connected = new ConnectedNode({ ...node, online: true }, link, new Set(['test']), 8)
    expect(connected.free).toBe(8)
    connected.ignored()
    expect(connected.free).toBe(0)
    connected.answered()
    expect(connected.free).toBe(8)
  })
})

describe('a node that cannot start a program', () => {
  test.each([
    ['several lines', 'cannot\r\nfind \u001b[31m/opt/train', 'cannot find [31m/opt/train'],
    ['a secret', `wrong token node_${'x'.repeat(43)}`, '[masked]'],
    ['a long text', 'x'.repeat(1000), 'x'.repeat(300)],
  ])('has its reason in the log as one short line without secrets: %s', async (_, detail, shown) => {
    const type = ownType()
    const { node, token } = await makeNode(server, 1)
    const broken = await openNode(server, token, { taskTypes: [type], max: 1 })
    await makeTask(server, await makeUser(server), { taskType: type })
    broken.send({ type: 'reject', ...lease(await broken.next('assign')), reason: 'cannot_start', detail })
    const line = await eventually(() => logged.find(({ taskType }) => taskType === type), 'its line')
    expect(line).toMatchObject({ node: node.name, reason: shown, msg: 'a node could not start a task' })
    broken.close()
  })

  test.each(['instead of accepting', 'after accepting'])(
    'gives the task back %s, is not offered the type, and administrators see it',
    async (when) => {
      const owner = await makeUser(server)
      const type = ownType()
      const { node, token } = await makeNode(server, 1)
      let broken = await openNode(server, token, { taskTypes: [type], max: 1 })
      const task = await makeTask(server, owner, { taskType: type })
      const assign = await broken.next('assign')
      if (when === 'after accepting') broken.send({ type: 'accept', ...lease(assign) })
      const detail = 'ENOENT: /opt/train is not there'
      broken.send({ type: 'reject', ...lease(assign), reason: 'cannot_start', detail })
      const path = `/api/gpu/servers/${node.uuid}`
      const shown = (token: string) => api(server, 'GET', path, { token })
      await eventually(
        async () => (await shown(admin.token)).body.data.cannot_start.length === 1,
        'administrators see it',
      )
      expect((await shown(admin.token)).body.data.cannot_start).toEqual([
        { task_type: type, message: detail, at: expect.stringMatching(/^\d{4}-.*Z$/) },
      ])
      expect((await shown(owner.token)).body.data.cannot_start).toEqual([])
      // The node comes back and still does not get the task type.
      broken.close()
      broken = await openNode(server, token, { taskTypes: [type], max: 1 })
      const other = await openNode(server, (await makeNode(server, 1)).token, { taskTypes: [type], max: 1 })
      const again = await other.next('assign')
      expect(lease(again)).toEqual({ task_id: task.uuid, attempt: 2 })
      other.send({ type: 'accept', ...lease(again) })
      const second = await makeTask(server, owner, { taskType: type })
      other.send({ type: 'completed', ...lease(again), result: {} })
      await other.next('assign', (f) => f.task_id === second.uuid)
      expect(assigned(broken)).toEqual([])
      expect(await storedTask(task.uuid)).toMatchObject({ status: 'completed', lostAttempts: 0 })
      // Only an administrator may read this, not the owner.
      expect(JSON.stringify(await logsOf(owner, task.id))).not.toContain('ENOENT')
      broken.close()
      other.close()
    },
  )

  test('is no longer listed when it has run a task of the type', async () => {
    const owner = await makeUser(server)
    const type = ownType()
    const { node, token } = await makeNode(server)
    const cannotStart = [
      { taskType: type, message: 'gone', at: new Date(Date.now() - 120_000).toISOString() },
      { taskType: 'another', message: 'gone', at: new Date().toISOString() },
    ]
    await ctx.db.update(nodes).set({ cannotStart }).where(eq(nodes.id, node.id))
    const socket = await openNode(server, token, { taskTypes: [type] })
    await makeTask(server, owner, { taskType: type })
    const assign = await socket.next('assign')
    socket.send({ type: 'accept', ...lease(assign) })
    socket.send({ type: 'completed', ...lease(assign), result: {} })
    await eventually(async () => (await storedNode(node.id)).cannotStart.length === 1, 'it is forgotten')
    expect((await storedNode(node.id)).cannotStart).toEqual([cannotStart[1]!])
    socket.close()
  })
})

describe('a drain that comes while an assignment is on its way', () => {
  const taken = async (draining: boolean, id: string) =>
    api(server, 'PUT', `/api/gpu/servers/${id}`, { token: admin.token, body: { draining } })

  test.each([
    ['before the drain is over', ['reject', 'undrain']],
    ['after the drain is over', ['undrain', 'reject']],
  ])('its refusal comes %s: the node gets the task, and others', async (_, order) => {
    const owner = await makeUser(server)
    const type = ownType()
    const { node, token } = await makeNode(server)
    const socket = await openNode(server, token, { taskTypes: [type] })
    const stop = beat(socket)
    const task = await makeTask(server, owner, { taskType: type })
    const assign = await socket.next('assign')
    await taken(true, node.uuid)
    await socket.next('drain')
    for (const step of order) {
      if (step === 'reject') socket.send({ type: 'reject', ...lease(assign), reason: 'draining' })
      else {
        await taken(false, node.uuid)
        await socket.until((frames) => frames.filter((f) => f.type === 'welcome')[1])
      }
    }
    await socket.next('assign', (f) => f.task_id === task.uuid && f.attempt === 2)
    const next = await makeTask(server, owner, { taskType: type })
    await socket.next('assign', (f) => f.task_id === next.uuid)
    stop()
    socket.close()
  })

  test('a change is taken over whatever the clock of the database says', async () => {
    const { node, token } = await makeNode(server)
    // The node was changed before the clock was set back.
    const later = sql`now() + interval '1 hour'`
    await ctx.db.update(nodes).set({ updatedAt: later }).where(eq(nodes.id, node.id))
    const socket = await openNode(server, token)
    await taken(true, node.uuid)
    await socket.next('drain')
    await taken(false, node.uuid)
    await socket.until((frames) => frames.filter((f) => f.type === 'welcome')[1])
    socket.close()
  })
})

describe('the hello', () => {
  test('of an older socket changes nothing', async () => {
    const owner = await makeUser(server)
    const type = ownType()
    const { token } = await makeNode(server)
    const old = await TestSocket.open(`${server.wsUrl}/ws/node`, { authorization: `Bearer ${token}` })
    const socket = await openNode(server, token, { taskTypes: [type] })
    const task = await makeTask(server, owner, { taskType: type })
    const assign = await socket.next('assign')
    socket.send({ type: 'accept', ...lease(assign) })
    await eventually(async () => (await storedTask(task.uuid)).status === 'running', 'it runs')
    old.send(hello({ taskTypes: [] }))
    expect((await old.closing()).code).toBe(4409)
    expect(old.frames).toEqual([])
    socket.send({ type: 'completed', ...lease(assign), result: { kept: true } })
    await socket.next('ack')
    expect(await storedTask(task.uuid)).toMatchObject({ status: 'completed', attempt: 1, lostAttempts: 0 })
    socket.close()
  })

  test('of a socket that has closed meanwhile changes nothing', async () => {
    const owner = await makeUser(server)
    const type = ownType()
    const { node, token } = await makeNode(server)
    const socket = await openNode(server, token, { taskTypes: [type] })
    const task = await makeTask(server, owner, { taskType: type })
    socket.send({ type: 'accept', ...lease(await socket.next('assign')) })
    await eventually(async () => (await storedTask(task.uuid)).status === 'running', 'it runs')
    const before = await storedNode(node.id)
    const link = { alive: false, backlog: 0, quietMs: 0, end() {} } as unknown as NodeLink
    const empty = { maxConcurrentTasks: 1, taskTypes: [], gpus: [], running: [] }
    expect(await nodeControl.introduce(before, before.socket + 1000, empty, link)).toBeUndefined()
    expect(await storedNode(node.id)).toMatchObject({ socket: before.socket, taskTypes: [type] })
    expect(await storedTask(task.uuid)).toMatchObject({ status: 'running', lostAttempts: 0 })
    socket.close()
  })
})

describe('heartbeats over REST', () => {
  const { type: _, ...body } = heartbeat()

  test('keep a node online, but not the tasks of a socket that is gone', async () => {
    const owner = await makeUser(server)
    const type = ownType()
    const { node, token } = await makeNode(server)
    const socket = await openNode(server, token, { taskTypes: [type] })
    const task = await makeTask(server, owner, { taskType: type })
    socket.send({ type: 'accept', ...lease(await socket.next('assign')) })
    const live = await openLive(server, owner.token, { cursor: `${ctx.epoch}.0` })
    await live.next('task.started')
    socket.ws.terminate()
    const path = `/api/gpu/servers/${node.uuid}/heartbeat`
    const timer = setInterval(() => void api(server, 'POST', path, { token, body }).catch(() => {}), 400)
    const { data } = await live.until((f) => f.find((x) => x.type === 'task.requeued'), 'requeued', 20_000)
    expect(data).toMatchObject({ task_id: task.uuid, reason_code: 'node_disconnected' })
    expect((await storedNode(node.id)).online).toBe(true)
    clearInterval(timer)
    live.close()
  }, 30_000)

  test('keep the tasks of a node whose socket still answers', async () => {
    const owner = await makeUser(server)
    const type = ownType()
    const { node, token } = await makeNode(server)
    const socket = await TestSocket.open(`${server.wsUrl}/ws/node`, { authorization: `Bearer ${token}` })
    socket.send(hello({ taskTypes: [type] }))
    const task = await makeTask(server, owner, { taskType: type })
    socket.send({ type: 'accept', ...lease(await socket.next('assign')) })
    await eventually(async () => (await storedTask(task.uuid)).status === 'running', 'it runs')
    const path = `/api/gpu/servers/${node.uuid}/heartbeat`
    // Longer than a node may be silent.
    for (let i = 0; i < 16; i++) {
      expect((await api(server, 'POST', path, { token, body })).status).toBe(200)
      await Bun.sleep(500)
    }
    expect(await storedTask(task.uuid)).toMatchObject({ status: 'running', attempt: 1 })
    expect(socket.closed).toBeUndefined()
    socket.close()
  }, 30_000)
})
