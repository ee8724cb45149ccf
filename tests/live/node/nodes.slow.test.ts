import { afterAll, describe, expect, test } from 'bun:test'
import { eq } from 'drizzle-orm'
import { SERVER } from '../../../src/core/audit/audit.ts'
import { deleteNode, rotateToken } from '../../../src/core/nodes/nodes.ts'
import { type NodeState, nodeTopic } from '../../../src/core/nodes/presence.ts'
import { updateSystemConfig } from '../../../src/core/system/settings.ts'
import { taskTopic } from '../../../src/core/tasks/progress.ts'
import { nodes, tasks } from '../../../src/db/schema/index.ts'
import { api } from '../../support/api.ts'
import { makeNode, makeTask, makeUser, unique } from '../../support/factories.ts'
import { eventually } from '../../support/process.ts'
import { startServer } from '../../support/server.ts'
import { type Frame, heartbeat, hello, openLive, openNode, TestSocket } from '../../support/sockets.ts'

// Heartbeats of one second: a silent node is offline after three.
const server = await startServer({ NODE_HEARTBEAT_SECONDS: '1' })
afterAll(() => server.stop())
const { ctx } = server

/** Task types of one test, so that no node of another test takes its tasks. */
const ownType = () => unique('type_')

const lease = (frame: { task_id: string; attempt: number }) => ({
  task_id: frame.task_id,
  attempt: frame.attempt,
})

async function beating(socket: TestSocket): Promise<() => void> {
  const timer = setInterval(() => socket.closed || socket.send(heartbeat()), 500)
  return () => clearInterval(timer)
}

const storedNode = async (id: number) => (await ctx.db.select().from(nodes).where(eq(nodes.id, id)))[0]!

const storedTask = async (uuid: string) => (await ctx.db.select().from(tasks).where(eq(tasks.uuid, uuid)))[0]!

describe('getting in', () => {
  test('an unknown token closes with 4401', async () => {
    const socket = await TestSocket.open(`${server.wsUrl}/ws/node`, { authorization: 'Bearer node_nonsense' })
    expect((await socket.closing()).code).toBe(4401)
  })

  test('a token in the URL counts beside a header that is a proxy’s own', async () => {
    const { token } = await makeNode(server)
    const socket = await TestSocket.open(`${server.wsUrl}/ws/node?token=${token}`, {
      authorization: `Basic ${btoa('a:b')}`,
    })
    socket.send(hello())
    await socket.next('welcome')
    socket.close()
  })

  test('a node that sends bad frames gets errors and harms nobody', async () => {
    const { token } = await makeNode(server)
    const socket = await TestSocket.open(`${server.wsUrl}/ws/node?token=${token}`)
    socket.send(heartbeat())
    expect((await socket.next('error')).code).toBe('HELLO_FIRST')
    socket.send({ type: 'progress', task_id: 'x', attempt: 3, progress: 1 })
    expect(await socket.next('error', ({ task_id }) => task_id === 'x')).toMatchObject({
      code: 'HELLO_FIRST',
      attempt: 3,
    })
    socket.send('{"type":')
    socket.send({ type: 'hello', name: 5 })
    socket.send({ type: 'completed', task_id: 'x', attempt: 'first' })
    await socket.until((f) => (f.filter((x) => x.code === 'BAD_FRAME').length === 3 ? true : undefined))
    for (let i = 0; i < 30; i++) socket.send('nonsense')
    expect((await socket.closing()).code).toBe(4400)
  })

  test('a new connection of the same node replaces the old one', async () => {
    const { token } = await makeNode(server)
    const first = await openNode(server, token)
    const second = await openNode(server, token)
    expect((await first.closing()).code).toBe(4409)
    second.close()
  })

  test('a rotated token ends the socket and the old token at once', async () => {
    const admin = await makeUser(server, { role: 'admin' })
    const { node, token } = await makeNode(server)
    const socket = await openNode(server, token)
    const rotated = await api(server, 'POST', `/api/gpu/servers/${node.uuid}/rotate-token`, {
      token: admin.token,
    })
    expect((await socket.closing()).code).toBe(4403)
    const old = await TestSocket.open(`${server.wsUrl}/ws/node?token=${token}`)
    expect((await old.closing()).code).toBe(4401)
    const fresh = await openNode(server, rotated.body.data.node_token)
    fresh.close()
  })

  test('a rotated token ends a socket that has not said hello too', async () => {
    const { node, token } = await makeNode(server)
    const socket = await TestSocket.open(`${server.wsUrl}/ws/node?token=${token}`)
    await rotateToken(ctx, SERVER, node.uuid)
    expect((await socket.closing()).code).toBe(4403)
    expect(socket.frames).toEqual([])
  })

  test.each([
    ['given a new token', { tokenHash: unique('hash_') }],
    ['removed', { deletedAt: new Date() }],
  ])('a socket whose node was %s on a server that could not tell is not greeted', async (_, change) => {
    const { node, token } = await makeNode(server)
    const socket = await TestSocket.open(`${server.wsUrl}/ws/node?token=${token}`)
    await ctx.db.update(nodes).set(change).where(eq(nodes.id, node.id))
    socket.send(hello())
    expect((await socket.closing()).code).toBe(4403)
    expect(socket.frames).toEqual([])
    expect((await storedNode(node.id)).online).toBe(false)
  })
})

describe('dispatch', () => {
  test('takes the highest priority first, then the oldest, within the capacity and the task types', async () => {
    const owner = await makeUser(server)
    const [type, other] = [ownType(), ownType()]
    const order = await Promise.all(
      [
        { priority: 1, title: 'low' },
        { priority: 9, title: 'high' },
      ].map((input) => makeTask(server, owner, { taskType: type, ...input })),
    )
    const later = await makeTask(server, owner, { taskType: type, priority: 9, title: 'high, later' })
    await makeTask(server, owner, { taskType: other, priority: 10, title: 'not for this node' })
    const { token } = await makeNode(server, 1)
    const node = await openNode(server, token, { taskTypes: [type], max: 5 })
    const taken: string[] = []
    for (let i = 0; i < 3; i++) {
      const assign = await node.next('assign', (f) => !taken.includes(f.task_id))
      taken.push(assign.task_id)
      expect(node.frames.filter((f) => f.type === 'assign').length).toBe(i + 1)
      node.send({ type: 'accept', ...lease(assign) })
      node.send({ type: 'completed', ...lease(assign), result: {} })
    }
    expect(taken).toEqual([order[1]!.uuid, later.uuid, order[0]!.uuid])
    await Bun.sleep(100)
    expect(node.frames.filter((f) => f.type === 'assign').length).toBe(3)
    node.close()
  })

  test('a refused task goes to another node and not back to the one that refused', async () => {
    const owner = await makeUser(server)
    const type = ownType()
    const [one, two] = await Promise.all(
      [await makeNode(server), await makeNode(server)].map(({ token }) =>
        openNode(server, token, { taskTypes: [type] }),
      ),
    )
    const task = await makeTask(server, owner, { taskType: type })
    const first = await Promise.race([
      one!.next('assign').then(() => one!),
      two!.next('assign').then(() => two!),
    ])
    first.send({ type: 'reject', ...lease(first.frames.at(-1)), reason: 'busy' })
    const second = first === one ? two! : one!
    expect(await second.next('assign')).toMatchObject({ task_id: task.uuid, attempt: 2 })
    one!.close()
    two!.close()
  })

  test('a task that a node gives back after it began goes to another node, as a lost attempt', async () => {
    const owner = await makeUser(server)
    const type = ownType()
    const first = await openNode(server, (await makeNode(server, 1)).token, { taskTypes: [type], max: 1 })
    const task = await makeTask(server, owner, { taskType: type })
    const assign = await first.next('assign')
    first.send({ type: 'accept', ...lease(assign) })
    first.send({ type: 'reject', ...lease(assign), reason: 'changed its mind' })
    const second = await openNode(server, (await makeNode(server)).token, { taskTypes: [type] })
    expect(lease(await second.next('assign'))).toEqual({ task_id: task.uuid, attempt: 2 })
    expect((await storedTask(task.uuid)).lostAttempts).toBe(1)
    first.close()
    second.close()
  })

  test('a draining node finishes its task and gets no other until it is taken back', async () => {
    const admin = await makeUser(server, { role: 'admin' })
    const owner = await makeUser(server)
    const type = ownType()
    const { node, token } = await makeNode(server)
    const socket = await openNode(server, token, { taskTypes: [type] })
    await makeTask(server, owner, { taskType: type })
    const assign = await socket.next('assign')
    socket.send({ type: 'accept', ...lease(assign) })
    const drained = await api(server, 'POST', `/api/gpu/servers/${node.uuid}/drain`, { token: admin.token })
    expect(drained.body.data.status).toBe('draining')
    await socket.next('drain')
    const waiting = await makeTask(server, owner, { taskType: type })
    socket.send({ type: 'completed', ...lease(assign), result: {} })
    await socket.next('ack')
    await Bun.sleep(200)
    expect(socket.frames.filter((f) => f.type === 'assign').length).toBe(1)
    await api(server, 'PUT', `/api/gpu/servers/${node.uuid}`, {
      token: admin.token,
      body: { draining: false },
    })
    const resumed = await socket.next('assign', (f) => f.task_id === waiting.uuid)
    // A second `welcome` tells the node that the drain has ended.
    expect(socket.frames.filter((f) => f.type === 'welcome').length).toBe(2)
    // With this reason a node says that it stops soon. It gets no more tasks.
    socket.send({ type: 'reject', ...lease(resumed), reason: 'draining' })
    const unclaimed = await makeTask(server, owner, { taskType: type })
    await Bun.sleep(200)
    expect(socket.frames.some((f) => f.task_id === unclaimed.uuid)).toBe(false)
    socket.close()
  })
})

describe('fencing', () => {
  test('frames of an attempt that is not the node’s change nothing', async () => {
    const owner = await makeUser(server)
    const type = ownType()
    const task = await makeTask(server, owner, { taskType: type })
    const holder = await openNode(server, (await makeNode(server)).token, { taskTypes: [type] })
    const thief = await openNode(server, (await makeNode(server)).token, { taskTypes: [] })
    const assign = await holder.next('assign')
    holder.send({ type: 'accept', ...lease(assign) })
    for (const frame of [
      { type: 'accept' },
      { type: 'progress', progress: 99 },
      { type: 'completed', result: { stolen: true } },
      { type: 'failed', error: 'stolen' },
    ]) {
      thief.send({ ...frame, ...lease(assign) })
      holder.send({ ...frame, task_id: assign.task_id, attempt: assign.attempt + 1 })
    }
    const stale = (f: { code?: string }[]) =>
      f.filter((x) => x.code === 'STALE_ATTEMPT').length === 4 || undefined
    await thief.until(stale)
    await holder.until(stale)
    expect(await storedTask(task.uuid)).toMatchObject({ status: 'running', progress: 0, result: {} })
    holder.send({ type: 'completed', ...lease(assign), result: { mine: true } })
    holder.send({ type: 'completed', ...lease(assign), result: { mine: 'again' } })
    await holder.until((f) => (f.filter((x) => x.type === 'ack').length === 2 ? true : undefined))
    expect((await storedTask(task.uuid)).result).toEqual({ mine: true })
    holder.close()
    thief.close()
  })

  test.each([
    ['completed', { result: {} }],
    ['failed', { error: 'x' }],
  ])('%s with an id that no task can have is stale, not to be repeated', async (type, word) => {
    const node = await openNode(server, (await makeNode(server)).token)
    node.send({ type, task_id: 'task 5', attempt: 1, ...word })
    expect(await node.next('error')).toMatchObject({ code: 'STALE_ATTEMPT', task_id: 'task 5', attempt: 1 })
    node.close()
  })

  test('a node may repeat `completed` faster than the server handles it', async () => {
    const owner = await makeUser(server)
    const type = ownType()
    const node = await openNode(server, (await makeNode(server)).token, { taskTypes: [type] })
    const task = await makeTask(server, owner, { taskType: type })
    const assigned = lease(await node.next('assign'))
    node.send({ type: 'accept', ...assigned })
    // 20 MB at once: more than the server lets wait of one node.
    const result = { text: 'x'.repeat(500_000) }
    for (let i = 0; i < 40; i++) node.send({ type: 'completed', ...assigned, result })
    await node.next('ack')
    expect((await storedTask(task.uuid)).status).toBe('completed')
    expect(node.closed).toBeFalsy()
    node.close()
  })

  test('a cancelled task is stopped on its node, and later frames about it are only acknowledged', async () => {
    const owner = await makeUser(server)
    const type = ownType()
    const node = await openNode(server, (await makeNode(server, 1)).token, { taskTypes: [type], max: 1 })
    const task = await makeTask(server, owner, { taskType: type })
    const assign = await node.next('assign')
    node.send({ type: 'accept', ...lease(assign) })
    const live = await openLive(server, owner.token, { cursor: `${ctx.epoch}.0` })
    await live.next('task.started')
    const cancelled = await api(server, 'POST', `/api/tasks/${task.id}/cancel`, { token: owner.token })
    expect(cancelled.body.status).toBe('cancelled')
    expect(lease(await node.next('cancel'))).toEqual(lease(assign))
    const next = await makeTask(server, owner, { taskType: type })
    await Bun.sleep(100)
    // The slot is free only when the node reports that the process has ended.
    expect(node.frames.filter((f) => f.type === 'assign').length).toBe(1)
    node.send({ type: 'failed', ...lease(assign), error: 'cancelled' })
    await node.next('ack')
    await node.next('assign', (f) => f.task_id === next.uuid)
    expect((await storedTask(task.uuid)).status).toBe('cancelled')
    expect(live.events.filter((e) => e.data.task_id === task.uuid).map((e) => e.type)).toEqual([
      'task.created',
      'task.started',
      'task.cancelled',
    ])
    node.close()
    live.close()
  })
})

describe('nodes that go', () => {
  test('a node that returns in time keeps what its hello names and loses what it does not', async () => {
    const owner = await makeUser(server)
    const type = ownType()
    const { token } = await makeNode(server)
    const before = await openNode(server, token, { taskTypes: [type] })
    const [kept, lost] = [
      await makeTask(server, owner, { taskType: type }),
      await makeTask(server, owner, { taskType: type }),
    ]
    await before.until((f) => (f.filter((x) => x.type === 'assign').length === 2 ? true : undefined))
    for (const assign of before.frames.filter((f) => f.type === 'assign')) {
      before.send({ type: 'accept', ...lease(assign) })
      before.send({ type: 'progress', ...lease(assign), progress: 30 })
    }
    const live = await openLive(server, owner.token, { cursor: `${ctx.epoch}.0` })
    await live.until((f) => (f.filter((x) => x.type === 'task.started').length === 2 ? true : undefined))
    before.ws.terminate()
    const after = await openNode(server, token, {
      taskTypes: [type],
      running: [{ task_id: kept.uuid, attempt: 1 }],
    })
    const again = await after.next('assign')
    expect(lease(again)).toEqual({ task_id: lost.uuid, attempt: 2 })
    after.send({ type: 'completed', task_id: kept.uuid, attempt: 1, result: { kept: true } })
    await after.next('ack')
    const ofKept = live.events.filter((e) => e.data.task_id === kept.uuid).map((e) => e.type)
    expect(ofKept).toEqual(['task.created', 'task.started', 'task.completed'])
    expect((await storedTask(lost.uuid)).lostAttempts).toBe(1)
    after.close()
    live.close()
  })

  test('a node that also names an earlier attempt keeps the current one', async () => {
    const owner = await makeUser(server)
    const type = ownType()
    const { token } = await makeNode(server)
    const before = await openNode(server, token, { taskTypes: [type] })
    const { uuid: task_id } = await makeTask(server, owner, { taskType: type })
    before.send({ type: 'accept', ...lease(await before.next('assign')) })
    before.ws.terminate()
    // Only the database knows the number: this is the third attempt.
    await ctx.db.update(tasks).set({ attempt: 3 }).where(eq(tasks.uuid, task_id))
    const running = [2, 3, 1].map((attempt) => ({ task_id, attempt }))
    const after = await openNode(server, token, { taskTypes: [type], running })
    after.send({ type: 'completed', task_id, attempt: 3, result: { kept: true } })
    expect(await after.next('ack')).toMatchObject({ attempt: 3 })
    const cancelled = after.frames.filter(({ type }) => type === 'cancel').map(({ attempt }) => attempt)
    expect(cancelled).toEqual([2, 1])
    expect(await storedTask(task_id)).toMatchObject({ status: 'completed', lostAttempts: 0 })
    after.close()
  })

  test('a task lost to another connection with the same token says so', async () => {
    const owner = await makeUser(server)
    const type = ownType()
    const { token } = await makeNode(server)
    const first = await openNode(server, token, { taskTypes: [type] })
    const task = await makeTask(server, owner, { taskType: type })
    first.send({ type: 'accept', ...lease(await first.next('assign')) })
    const live = await openLive(server, owner.token, { cursor: `${ctx.epoch}.0` })
    await live.next('task.started')
    const second = await openNode(server, token)
    const requeued = await live.next('task.requeued', (f) => f.data.task_id === task.uuid)
    expect(requeued.data.reason).toContain('Another connection with the token')
    expect((await first.closing()).code).toBe(4409)
    second.close()
    live.close()
  })

  test('a silent node is offline after three heartbeats; the third loss fails the task, at no cost', async () => {
    const owner = await makeUser(server, { balanceMinor: 10_000 })
    const type = ownType()
    await updateSystemConfig(ctx, SERVER, { taskPrices: { [type]: 600 } })
    const live = await openLive(server, owner.token)
    const { node, token } = await makeNode(server)
    const task = await makeTask(server, owner, { taskType: type, estimatedMinutes: 5 })
    expect(task.heldMinor).toBe(3000)
    for (let attempt = 1; attempt <= 2; attempt++) {
      const socket = await openNode(server, token, { taskTypes: [type] })
      const assign = await socket.next('assign')
      expect(assign.attempt).toBe(attempt)
      socket.send({ type: 'accept', ...lease(assign) })
      socket.close()
      if (attempt === 1) {
        // A restart that forgot the task is a loss, too, and needs no waiting.
        await live.next('task.started')
      } else {
        await live.next('task.requeued', (f) => f.data.attempt === 2)
      }
    }
    const shown = await api(server, 'GET', `/api/gpu/servers/${node.uuid}`, { token: owner.token })
    expect(shown.body.data.status).toBe('offline')
    const socket = await openNode(server, token, { taskTypes: [type] })
    const assign = await socket.next('assign')
    expect(assign.attempt).toBe(3)
    socket.send({ type: 'accept', ...lease(assign) })
    const failed = await live.next('task.failed')
    expect(failed.data).toMatchObject({ cost: 0, status: 'failed' })
    const me = await api(server, 'GET', '/api/users/me', { token: owner.token })
    expect(me.body.data).toMatchObject({ balance: 100, available_balance: 100 })
    // The node was only frozen: its frames are stale now.
    socket.send({ type: 'completed', ...lease(assign), result: {} })
    await socket.until((f) => f.find((x) => x.type === 'ack' || x.code === 'STALE_ATTEMPT'))
    expect((await storedTask(task.uuid)).status).toBe('failed')
    socket.close()
    live.close()
  })

  test.each(['its socket', 'REST'])(
    'a node last heard over %s is judged by what this server knows of it',
    async (way) => {
      const { node, token } = await makeNode(server)
      const socket = way === 'REST' ? undefined : await openNode(server, token)
      const { type: _, ...body } = heartbeat()
      if (!socket) await api(server, 'POST', `/api/gpu/servers/${node.uuid}/heartbeat`, { token, body })
      const state = await eventually(() => ctx.bus.getState(nodeTopic(node.uuid)), 'its first heartbeat')
      // A server that relies on the stored heartbeats alone would wait for a day.
      const timestamp = new Date(Date.now() + 86_400_000).toISOString()
      ctx.bus.setState(nodeTopic(node.uuid), { ...state, timestamp })
      expect((await storedNode(node.id)).online).toBe(true)
      socket?.ws.terminate()
      await eventually(async () => !(await storedNode(node.id)).online, 'it is offline', 15_000)
    },
  )

  test('removing a node sends its tasks back to the queue', async () => {
    const admin = await makeUser(server, { role: 'admin' })
    const owner = await makeUser(server)
    const type = ownType()
    const { node, token } = await makeNode(server)
    const socket = await openNode(server, token, { taskTypes: [type] })
    const task = await makeTask(server, owner, { taskType: type })
    const assign = await socket.next('assign')
    socket.send({ type: 'accept', ...lease(assign) })
    await api(server, 'DELETE', `/api/gpu/servers/${node.uuid}`, { token: admin.token })
    expect((await socket.closing()).code).toBe(4403)
    expect(await storedTask(task.uuid)).toMatchObject({ status: 'pending', nodeId: null })
    expect((await api(server, 'GET', `/api/gpu/servers/${node.uuid}`, { token: admin.token })).status).toBe(
      404,
    )
  })
})

describe('state', () => {
  test('heartbeats reach watchers of the node and of the cluster, over the socket and over REST', async () => {
    const viewer = await makeUser(server)
    const { node, token } = await makeNode(server)
    const live = await openLive(server, viewer.token, { topics: `gpu:cluster,gpu:server:${node.uuid}` })
    expect((await live.next('gpu_update')).data.status).toBe('offline')
    await live.next('gpu_cluster')
    const socket = await openNode(server, token)
    const stop = await beating(socket)
    const update = await live.next('gpu_update', (f) => f.data.status === 'online')
    expect(update).toMatchObject({
      key: `gpu:server:${node.uuid}`,
      server_id: node.uuid,
      data: { cpu_usage: 10, memory_usage: 20, running_tasks: [] },
    })
    expect(update.data.gpu_usage).toEqual([
      {
        gpu_id: 0,
        name: 'Test GPU',
        usage: 50,
        memory_used: 3,
        memory_total: 24,
        temperature: 60,
        power: 150,
      },
    ])
    expect(JSON.stringify(update)).not.toContain('10.0.0.1')
    stop()
    const { type: _, ...body } = heartbeat(77)
    const path = `/api/gpu/servers/${node.uuid}/heartbeat`
    expect((await api(server, 'POST', path, { token, body })).status).toBe(200)
    await live.next('gpu_update', (f) => f.data.gpu_usage[0]?.usage === 77)
    await live.next('gpu_cluster', (f) => f.data.online_servers >= 1)
    expect((await api(server, 'POST', path, { token: viewer.token, body })).status).toBe(403)
    socket.close()
    live.close()
  })

  test('a heartbeat does not wait for frames about tasks, which wait for the database', async () => {
    const type = ownType()
    const task = await makeTask(server, await makeUser(server), { taskType: type })
    const { node, token } = await makeNode(server)
    const socket = await openNode(server, token, { taskTypes: [type] })
    const assign = await socket.next('assign')
    await ctx.db.transaction(async (tx) => {
      await tx.select().from(tasks).where(eq(tasks.id, task.id)).for('update')
      socket.send({ type: 'accept', ...lease(assign) })
      socket.send(heartbeat(88))
      await eventually(() => {
        const state = ctx.bus.getState(nodeTopic(node.uuid)) as NodeState | undefined
        return state?.gpus[0]?.usage === 88
      }, 'the heartbeat is heard')
    })
    await eventually(async () => (await storedTask(task.uuid)).status === 'running', 'it runs')
    socket.close()
  })

  test('a task that runs too long fails and is stopped on its node', async () => {
    const owner = await makeUser(server)
    const type = ownType()
    const socket = await openNode(server, (await makeNode(server)).token, { taskTypes: [type] })
    const stop = await beating(socket)
    await makeTask(server, owner, { taskType: type })
    const assign = await socket.next('assign')
    socket.send({ type: 'accept', ...lease(assign) })
    const live = await openLive(server, owner.token, { cursor: `${ctx.epoch}.0` })
    await live.next('task.started')
    await updateSystemConfig(ctx, SERVER, { defaultTaskTimeout: 2 })
    try {
      expect((await live.next('task.failed')).data.error_message).toContain('2 seconds')
      await socket.next('cancel')
    } finally {
      await updateSystemConfig(ctx, SERVER, { defaultTaskTimeout: 3600 })
      stop()
    }
    socket.close()
    live.close()
  })
})

describe('changes that no node reports', () => {
  test('a retried task shows nothing of its last attempt', async () => {
    const owner = await makeUser(server)
    const type = ownType()
    const node = await openNode(server, (await makeNode(server)).token, { taskTypes: [type] })
    const task = await makeTask(server, owner, { taskType: type })
    const assign = await node.next('assign')
    node.send({ type: 'accept', ...lease(assign) })
    node.send({ type: 'progress', ...lease(assign), progress: 55, current_item: 'frame 55' })
    node.send({ type: 'failed', ...lease(assign), error: 'out of memory' })
    await node.next('ack')
    node.close()
    const live = await openLive(server, owner.token, { topics: `task:${task.uuid}` })
    await live.next('task_update', ({ data }) => data.progress === 55)
    expect((await api(server, 'POST', `/api/tasks/${task.uuid}/retry`, { token: owner.token })).status).toBe(
      200,
    )
    await live.next('task_update', ({ data }) => data.progress === 0 && data.current_item === '')
    live.close()
  })

  test('an attempt that begins shows no earlier progress', async () => {
    const owner = await makeUser(server)
    const type = ownType()
    const task = await makeTask(server, owner, { taskType: type })
    const live = await openLive(server, owner.token, { topics: `task:${task.uuid}` })
    await live.next('task_update')
    ctx.bus.setState(taskTopic(task.uuid), { attempt: 0, progress: 55, currentItem: 'frame 55' })
    await live.next('task_update', ({ data }) => data.progress === 55)
    const before = live.frames.length
    const node = await openNode(server, (await makeNode(server)).token, { taskTypes: [type] })
    const stop = await beating(node)
    node.send({ type: 'accept', ...lease(await node.next('assign')) })
    await live.next('task_update', ({ data }) => data.progress === 0, before)
    stop()
    node.close()
    live.close()
  })

  test('the cluster follows tasks that wait and servers that come and go, also while no node is online', async () => {
    const owner = await makeUser(server)
    const live = await openLive(server, owner.token, { topics: 'gpu:cluster' })
    // Nodes of the tests before this one are gone, and their tasks are back in the queue.
    const quiet = (f: Frame) => f.type === 'gpu_cluster' && f.data.online_servers === 0
    let { data } = await live.until((frames) => frames.find(quiet), 'no node is online', 15_000)
    const changes = async (field: string, by: number, change: () => Promise<unknown>) => {
      const [from, expected] = [live.frames.length, data[field] + by]
      await change()
      data = (await live.next('gpu_cluster', (f) => f.data[field] === expected, from)).data
    }
    let task = ''
    await changes('queue_length', 1, async () => {
      task = (await makeTask(server, owner, { taskType: ownType() })).uuid
    })
    await changes('queue_length', -1, () =>
      api(server, 'POST', `/api/tasks/${task}/cancel`, { token: owner.token }),
    )
    let node = ''
    await changes('total_servers', 1, async () => {
      node = (await makeNode(server)).node.uuid
    })
    await changes('total_servers', -1, () => deleteNode(ctx, SERVER, node))
    live.close()
  })

  test('a server that is removed is shown offline', async () => {
    const { node, token } = await makeNode(server)
    const socket = await openNode(server, token)
    const live = await openLive(server, (await makeUser(server)).token, { topics: `gpu:server:${node.uuid}` })
    await live.next('gpu_update', ({ data }) => data.status === 'online')
    await deleteNode(ctx, SERVER, node.uuid)
    await live.next('gpu_update', ({ data }) => data.status === 'offline')
    expect((await socket.closing()).code).toBe(4403)
    live.close()
  })
})
