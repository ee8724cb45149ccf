import { afterAll, describe, expect, test } from 'bun:test'
import { eq, sql } from 'drizzle-orm'
import { tasks } from '../../../src/db/schema/index.ts'
import { api } from '../../support/api.ts'
import { makeNode, makeTask, makeUser, unique } from '../../support/factories.ts'
import { eventually } from '../../support/process.ts'
import { startServer } from '../../support/server.ts'
import { type Frame, heartbeat, hello, openLive, openNode, TestSocket } from '../../support/sockets.ts'

const server = await startServer({ NODE_HEARTBEAT_SECONDS: '1' })
afterAll(() => server.stop())
const { ctx } = server
const viewer = await makeUser(server)

const lease = ({ task_id, attempt }: Frame) => ({ task_id, attempt })
const gpu = heartbeat().gpus[0]!
const status = async (id: string) =>
  (await api(server, 'GET', `/api/gpu/servers/${id}/status`, { token: viewer.token })).body.data as Frame
const shown = async (id: string, what: (data: Frame) => boolean) =>
  eventually(async () => {
    const data = await status(id)
    return what(data) ? data : undefined
  }, 'the heartbeat is shown')

describe('a figure that cannot be', () => {
  test.each<[string, object, object]>([
    ['a temperature of 511', { temperature: 511 }, { power: 150 }],
    ['a temperature that is a text', { temperature: 'hot' }, { power: 150 }],
    ['a power below nothing', { power: -1 }, { temperature: 60 }],
    ['a power of null', { power: null }, { temperature: 60 }],
    ['a name that is an object', { name: { evil: true } }, { temperature: 60, power: 150 }],
  ])('%s is left out, and the node stays', async (_, wrong, kept) => {
    const { node, token } = await makeNode(server)
    const socket = await openNode(server, token)
    const [key] = Object.keys(wrong)
    socket.send({ ...heartbeat(), cpu_usage: 33, gpus: [{ ...gpu, ...wrong }] })
    const { gpu_usage } = await shown(node.uuid, (data) => data.cpu_usage === 33)
    const { temperature: _t, power: _p, ...rest } = gpu
    expect(gpu_usage).toEqual([{ name: 'Test GPU', ...rest, ...kept }])
    if (key !== 'name') expect(gpu_usage[0]).not.toHaveProperty(key!)
    expect(socket.frames.some((frame) => frame.type === 'error')).toBe(false)
    // Over REST too.
    const { type: _type, ...body } = { ...heartbeat(), cpu_usage: 34, gpus: [{ ...gpu, ...wrong }] }
    const answer = await api(server, 'POST', `/api/gpu/servers/${node.uuid}/heartbeat`, { token, body })
    if (key !== 'name') {
      expect(answer.status).toBe(200)
      expect((await shown(node.uuid, (data) => data.cpu_usage === 34)).gpu_usage).toEqual(gpu_usage)
    }
    socket.close()
  })

  test.each<[string, object]>([
    ['a usage of 101', { gpus: [{ ...gpu, usage: 101 }] }],
    ['a memory that is a text', { gpus: [{ ...gpu, memory_used: '3' }] }],
    ['a CPU of -1', { cpu_usage: -1 }],
    ['a memory usage of an object', { memory_usage: {} }],
    ['no CPU', { cpu_usage: undefined }],
    ['GPUs that are no list', { gpus: 'none' }],
  ])('%s is as it was known before', async (_, wrong) => {
    const { node, token } = await makeNode(server)
    const socket = await openNode(server, token)
    const known = await shown(node.uuid, (data) => data.cpu_usage === 10)
    socket.send({ ...heartbeat(), ...wrong })
    socket.send({ type: 'accept', task_id: crypto.randomUUID(), attempt: 1 })
    await socket.next('error', (frame) => frame.code === 'STALE_ATTEMPT')
    const now = await status(node.uuid)
    for (const key of ['cpu_usage', 'memory_usage', 'gpu_usage']) expect(now[key]).toEqual(known[key])
    expect(now.status).toBe('online')
    expect(socket.frames.some((frame) => frame.code === 'BAD_FRAME')).toBe(false)
    socket.close()
  })

  test('GPUs that cannot be told apart are left out', async () => {
    const { node, token } = await makeNode(server)
    const socket = await openNode(server, token)
    const odd = [
      { ...gpu, gpu_id: 'a' },
      null,
      5,
      { ...gpu, gpu_id: -1 },
      { ...gpu, gpu_id: 3, usage: 7 },
      { ...gpu, gpu_id: 3 },
    ]
    socket.send({ ...heartbeat(), cpu_usage: 44, gpus: odd })
    const { gpu_usage } = await shown(node.uuid, (data) => data.cpu_usage === 44)
    expect(gpu_usage).toMatchObject([{ gpu_id: 3, usage: 7 }])
    socket.close()
  })

  test('in a hello is left out too', async () => {
    const { node, token } = await makeNode(server)
    const socket = await TestSocket.open(`${server.wsUrl}/ws/node`, { authorization: `Bearer ${token}` })
    const gpus = [
      { gpu_id: 0, name: ['x'], memory_total: '24' },
      { gpu_id: 1, name: 'Good', memory_total: 24 },
    ]
    socket.send({ ...hello(), gpus })
    await socket.next('welcome')
    expect((await status(node.uuid)).gpu_usage).toMatchObject([
      { gpu_id: 0, memory_total: 0 },
      { gpu_id: 1, name: 'Good', memory_total: 24 },
    ])
    socket.close()
  })
})

describe('what a frame does not declare', () => {
  test.each(['its socket', 'REST'])('reaches nobody over %s', async (way) => {
    const { node, token } = await makeNode(server)
    const live = await openLive(server, viewer.token, { topics: `gpu:server:${node.uuid}` })
    const socket = await TestSocket.open(`${server.wsUrl}/ws/node`, { authorization: `Bearer ${token}` })
    const evil = { evil: '<b>x</b>', filler: 'x'.repeat(50_000) }
    socket.send({ ...hello(), ...evil, gpus: [{ gpu_id: 0, name: 'Test GPU', memory_total: 24, ...evil }] })
    await socket.next('welcome')
    const beat = { ...heartbeat(), cpu_usage: 55, ...evil, gpus: [{ ...gpu, ...evil }] }
    if (way === 'REST') {
      const { type: _, ...body } = beat
      expect(
        (await api(server, 'POST', `/api/gpu/servers/${node.uuid}/heartbeat`, { token, body })).status,
      ).toBe(200)
    } else socket.send(beat)
    const update = await live.next('gpu_update', ({ data }) => data.cpu_usage === 55)
    const [row] = await ctx.db.execute(sql`select gpus::text as text from nodes where id = ${node.id}`)
    for (const text of [JSON.stringify(update), JSON.stringify(await status(node.uuid)), row!.text]) {
      expect(text).not.toContain('evil')
      expect(text).not.toContain('xxx')
    }
    live.close()
    socket.close()
  })

  test('what was stored before is not shown either', async () => {
    const { node } = await makeNode(server)
    await ctx.db.execute(
      sql`update nodes set gpus = '[{"gpu_id":0,"usage":1,"memory_used":1,"memory_total":2,"evil":1}]' where id = ${node.id}`,
    )
    const live = await openLive(server, viewer.token, { topics: `gpu:server:${node.uuid}` })
    expect(JSON.stringify(await live.next('gpu_update'))).not.toContain('evil')
    expect(JSON.stringify(await status(node.uuid))).not.toContain('evil')
    live.close()
  })
})

test('slots and names follow the heartbeats', async () => {
  const type = unique('type_')
  const { node, token } = await makeNode(server, 4)
  const socket = await openNode(server, token, { taskTypes: [type], max: 0, gpus: [] })
  await makeTask(server, await makeUser(server), { taskType: type })
  socket.send({ ...heartbeat(), max_concurrent_tasks: 1, gpus: [{ ...gpu, gpu_id: 5, name: 'New GPU' }] })
  expect((await socket.next('assign')).id).toBeInteger()
  const { gpu_usage } = await shown(node.uuid, (data) => data.gpu_usage[0]?.gpu_id === 5)
  expect(gpu_usage[0].name).toBe('New GPU')
  socket.close()
})

describe('progress', () => {
  test('is the same figure everywhere, with one decimal', async () => {
    const owner = await makeUser(server)
    const type = unique('type_')
    const { node, token } = await makeNode(server)
    const socket = await openNode(server, token, { taskTypes: [type] })
    const task = await makeTask(server, owner, { taskType: type })
    const live = await openLive(server, owner.token, { topics: `task:${task.id}`, cursor: `${ctx.epoch}.0` })
    const assign = await socket.next('assign')
    socket.send({ type: 'accept', ...lease(assign) })
    socket.send({ type: 'progress', ...lease(assign), progress: 45.5678 })
    await live.next('task_update', ({ data }) => data.progress === 45.6)
    // No heartbeat has reported it.
    expect((await status(node.uuid)).running_tasks).toEqual([{ task_id: task.uuid, progress: 45.6 }])
    const path = `/api/tasks/${task.id}`
    expect((await api(server, 'GET', path, { token: owner.token })).body.progress).toBe(45.6)
    socket.send({ type: 'failed', ...lease(assign), error: 'x' })
    expect((await live.next('task.failed')).data.progress).toBe(45.6)
    // As an older server stored it.
    await ctx.db.update(tasks).set({ progress: 33.33333333 }).where(eq(tasks.id, task.id))
    const { body } = await api(server, 'GET', path, { token: owner.token })
    expect([body.progress, body.data.progress]).toEqual([33.3, 33.3])
    const list = await api(server, 'GET', '/api/tasks', { token: owner.token })
    expect(list.body.items[0].progress).toBe(33.3)
    live.close()
    socket.close()
  })

  test.each([0, -1, 2 ** 40])('of attempt %d is stale, and so is every other frame', async (attempt) => {
    const socket = await openNode(server, (await makeNode(server)).token)
    const task_id = crypto.randomUUID()
    for (const [type, fields] of Object.entries({
      accept: {},
      reject: { reason: 'busy' },
      progress: { progress: 5 },
      log: { level: 'INFO', message: 'x' },
      completed: { result: {} },
      failed: { error: 'x' },
    })) {
      const from = socket.frames.length
      socket.send({ type, task_id, attempt, ...fields })
      expect(await socket.next('error', () => true, from)).toMatchObject({
        code: 'STALE_ATTEMPT',
        task_id,
        attempt,
      })
    }
    socket.close()
  })

  test('a frame that does not fit is answered with the attempt that it names', async () => {
    const socket = await openNode(server, (await makeNode(server)).token)
    const named = { task_id: crypto.randomUUID(), attempt: 3 }
    socket.send({ type: 'progress', ...named, progress: 'half' })
    expect(await socket.next('error')).toMatchObject({ code: 'BAD_FRAME', ...named })
    socket.close()
  })
})

test('frames of a node that wait are limited: the server drops progress, logs and ends, and other frames close the socket', async () => {
  const owner = await makeUser(server)
  const type = unique('type_')
  const socket = await openNode(server, (await makeNode(server)).token, { taskTypes: [type] })
  const task = await makeTask(server, owner, { taskType: type })
  const assign = await socket.next('assign')
  await ctx.db.transaction(async (tx) => {
    await tx.select().from(tasks).where(eq(tasks.id, task.id)).for('update')
    socket.send({ type: 'accept', ...lease(assign) })
    for (let n = 0; n < 1500; n++)
      socket.send({ type: 'log', ...lease(assign), level: 'INFO', message: `${n}` })
    await Bun.sleep(300)
    expect(socket.closed).toBeUndefined()
    const result = { filler: 'x'.repeat(500_000) }
    for (let n = 0; n < 30; n++)
      socket.send({ type: 'completed', task_id: crypto.randomUUID(), attempt: 1, result })
    await Bun.sleep(300)
    expect(socket.closed).toBeUndefined()
    socket.send({ type: 'reject', ...lease(assign), reason: 'busy' })
    expect((await socket.closing()).code).toBe(4429)
  })
})
