import { afterAll, describe, expect, test } from 'bun:test'
import { sql } from 'drizzle-orm'
import { SERVER as SERVER_ACTOR } from '../../../src/core/audit/audit.ts'
import { type NodeState, nodeTopic } from '../../../src/core/nodes/presence.ts'
import { updateSystemConfig } from '../../../src/core/system/settings.ts'
import { api } from '../../support/api.ts'
import { describedApi } from '../../support/described.ts'
import { makeNode, makeTask, makeUser, unique } from '../../support/factories.ts'
import { query, startServer } from '../../support/server.ts'
import {
  enveloped,
  expectAnswer,
  expectFactoryError,
  expectWithout,
  type Shape,
} from '../../support/shapes.ts'

const server = await startServer()
afterAll(() => server.stop())
const ask = describedApi(server)
const admin = await makeUser(server, { role: 'admin' })
const user = await makeUser(server)

/** docs/contracts/factory.md, "GPU servers". */
const SERVER = {
  id: 'uuid',
  name: 'string',
  host: 'string',
  status: 'string',
  current_tasks: 'integer',
  max_concurrent_tasks: 'integer',
  total_memory: 'number',
  used_memory: 'number',
  gpu_count: 'integer',
  cpu_usage: 'number',
  memory_usage: 'number',
  last_heartbeat: 'instant|null',
} satisfies Shape

/** docs/contracts/factory.md, "GPU servers": the current figures. */
const STATUS = enveloped({
  server_id: 'uuid',
  status: 'string',
  cpu_usage: 'number',
  memory_usage: 'number',
  gpu_usage: [{ gpu_id: 'integer', usage: 'number', memory_used: 'number', memory_total: 'number' }],
  running_tasks: [{ task_id: 'uuid', progress: 'number' }],
  timestamp: 'instant',
})

const HISTORY = enveloped({
  server_id: 'uuid',
  samples: [
    {
      at: 'instant',
      gpu_usage: [{ gpu_id: 'integer', usage: 'number', memory_used: 'number', memory_total: 'number' }],
    },
  ],
})

const OVERVIEW = enveloped({
  total_servers: 'integer',
  online_servers: 'integer',
  offline_servers: 'integer',
  total_gpus: 'integer',
  busy_gpus: 'integer',
  idle_gpus: 'integer',
  total_running_tasks: 'integer',
  queue_length: 'integer',
  average_gpu_usage: 'number',
  total_memory: 'number',
  used_memory: 'number',
})

const create = (body: object = {}) =>
  ask('POST', '/api/gpu/servers', {
    token: admin.token,
    body: { name: unique('GPU-'), host: '192.168.1.100', ...body },
  })
/** The example of the contract's document: two GPUs of 12 GB. */
const BEAT = {
  cpu_usage: 45.2,
  memory_usage: 68.3,
  gpus: [
    { gpu_id: 0, usage: 85.5, memory_used: 10.2, memory_total: 12, temperature: 60, power: 250.5 },
    { gpu_id: 1, usage: 2, memory_used: 0.8, memory_total: 12 },
  ],
}
const beat = (id: string, token: string, body: object = BEAT) =>
  ask('POST', `/api/gpu/servers/${id}/heartbeat`, { token, body })

describe('creating', () => {
  test('answers the server and, this once, its token', async () => {
    const answer = await create({ max_concurrent_tasks: 4 })
    expectAnswer(answer, 201, enveloped({ ...SERVER, node_token: 'string' }))
    const { id, node_token } = answer.body.data
    expect(answer.body.data).toMatchObject({
      host: '192.168.1.100',
      status: 'offline',
      current_tasks: 0,
      max_concurrent_tasks: 4,
      gpu_count: 0,
      last_heartbeat: null,
    })
    for (const path of [`/api/gpu/servers/${id}`, '/api/gpu/servers', `/api/gpu/servers/${id}/status`]) {
      expectWithout(await ask('GET', path, { token: admin.token }), node_token, 'node_token', 'token_hash')
    }
  })

  test('one task at a time unless said otherwise; a taken name, in any case: 409', async () => {
    const name = unique('Node-')
    expect((await create({ name })).body.data.max_concurrent_tasks).toBe(1)
    expectFactoryError(await create({ name: name.toUpperCase() }), {
      status: 409,
      code: 'NAME_ALREADY_EXISTS',
    })
  })

  test.each<[string, object, string]>([
    ['no name', { name: undefined }, 'name'],
    ['an empty name', { name: '' }, 'name'],
    ['a long name', { name: 'n'.repeat(101) }, 'name'],
    ['no host', { host: undefined }, 'host'],
    ['an empty host', { host: '' }, 'host'],
    ['a long host', { host: 'h'.repeat(256) }, 'host'],
    ['a host that is a number', { host: 5 }, 'host'],
    ['room for no task', { max_concurrent_tasks: 0 }, 'max_concurrent_tasks'],
    ['room for too many', { max_concurrent_tasks: 1001 }, 'max_concurrent_tasks'],
    ['half a task', { max_concurrent_tasks: 1.5 }, 'max_concurrent_tasks'],
  ])('%s: 422', async (_, body, field) => {
    expectFactoryError(await create(body), { status: 422, code: 'VALIDATION_ERROR', fields: [field] })
  })
})

describe('reading', () => {
  test('the history has a sample each ten seconds while the node is there, for ten minutes', async () => {
    const { id } = (await create()).body.data
    const atSecond = (second: number) => new Date(Date.UTC(2030, 0, 1) + second * 1000).toISOString()
    const heard = (second: number, status: NodeState['status'] = 'online') => {
      const gpus = [{ gpuId: 0, name: 'A100', usage: second % 100, memoryUsed: 1, memoryTotal: 80 }]
      const load = { cpuUsage: 1, memoryUsage: 1, gpus, runningTasks: [] }
      const state: NodeState = { nodeId: 0, nodeUuid: id, status, timestamp: atSecond(second), ...load }
      server.ctx.bus.setState(nodeTopic(id), state)
    }
    const samples = async () => {
      const answer = await ask('GET', `/api/gpu/servers/${id}/history`, { token: user.token })
      expectAnswer(answer, 200, HISTORY)
      return answer.body.data.samples as { at: string; gpu_usage: object[] }[]
    }
    expect(await samples()).toEqual([])
    for (let second = 0; second <= 700; second += 5) heard(second)
    heard(720, 'offline')
    const kept = await samples()
    expect(kept.map(({ at }) => at)).toEqual(Array.from({ length: 60 }, (_, n) => atSecond(110 + 10 * n)))
    expect(kept.at(-1)!.gpu_usage).toEqual([
      { gpu_id: 0, name: 'A100', usage: 0, memory_used: 1, memory_total: 80 },
    ])
    // The clock of the server has been set back.
    heard(300)
    expect((await samples()).at(-1)!.at).toBe(atSecond(300))
    server.ctx.bus.setState(nodeTopic(id), undefined)
    expect(await samples()).toEqual([])
  })

  test('every user sees list, detail, status and overview; the host only administrators', async () => {
    const { id, name } = (await create()).body.data
    const list = await ask('GET', '/api/gpu/servers', { token: user.token })
    expectAnswer(list, 200, enveloped([SERVER]))
    expect(list.body.data.find((one: { id: string }) => one.id === id)).toMatchObject({ name, host: '' })
    const detail = await ask('GET', `/api/gpu/servers/${id}`, { token: user.token })
    expectAnswer(detail, 200, enveloped(SERVER))
    const status = await ask('GET', `/api/gpu/servers/${id}/status`, { token: user.token })
    expectAnswer(status, 200, STATUS)
    const overview = await ask('GET', '/api/gpu/cluster/overview', { token: user.token })
    expectAnswer(overview, 200, OVERVIEW)
    for (const answer of [list, detail, status, overview]) expectWithout(answer, '192.168.1.100')
    const shown = await ask('GET', `/api/gpu/servers/${id.toUpperCase()}`, { token: admin.token })
    expect(shown.body.data.host).toBe('192.168.1.100')
  })

  test('the overview counts what there is', async () => {
    const own = await startServer()
    try {
      const boss = await makeUser(own, { role: 'admin' })
      const nodes = [await makeNode(own), await makeNode(own), await makeNode(own)]
      for (const { node, token } of nodes.slice(0, 2)) {
        const path = `/api/gpu/servers/${node.uuid}/heartbeat`
        expect((await api(own, 'POST', path, { token, body: BEAT })).status).toBe(200)
      }
      await makeTask(own, boss)
      const { body } = await api(own, 'GET', '/api/gpu/cluster/overview', { token: boss.token })
      expect(body.data).toEqual({
        total_servers: 3,
        online_servers: 2,
        offline_servers: 1,
        total_gpus: 4,
        busy_gpus: 2,
        idle_gpus: 2,
        total_running_tasks: 0,
        queue_length: 1,
        average_gpu_usage: 43.8,
        total_memory: 48,
        used_memory: 22,
      })
    } finally {
      await own.stop()
    }
  })
})

describe('task types', () => {
  test('every user sees what servers offer, how many take tasks, and what it costs', async () => {
    const [offered, priced] = [unique('offered-'), unique('priced-')]
    const nodes = [await makeNode(server), await makeNode(server), await makeNode(server)]
    for (const [index, { node }] of nodes.entries()) {
      await query(
        server,
        sql`update nodes set task_types = ${JSON.stringify([offered])}::jsonb, online = ${index > 0},
          draining = ${index > 1} where id = ${node.id}`,
      )
    }
    await updateSystemConfig(server.ctx, SERVER_ACTOR, { taskPrices: { [priced]: 50 } })
    const answer = await ask('GET', '/api/gpu/task-types', { token: user.token })
    expectAnswer(answer, 200, enveloped([{ task_type: 'string', price: 'money', servers: 'integer' }]))
    expect(answer.body.data).toContainEqual({ task_type: offered, price: 0, servers: 1 })
    expect(answer.body.data).toContainEqual({ task_type: priced, price: 0.5, servers: 0 })
  })
})

describe('heartbeat', () => {
  test("with the node's own token: the server is online with these figures", async () => {
    const { node, token } = await makeNode(server)
    expectAnswer(await beat(node.uuid, token), 200, enveloped('object'))
    const detail = await ask('GET', `/api/gpu/servers/${node.uuid}`, { token: user.token })
    expect(detail.body.data).toMatchObject({
      status: 'online',
      cpu_usage: 45.2,
      memory_usage: 68.3,
      gpu_count: 2,
      total_memory: 24,
      used_memory: 11,
    })
    const status = await ask('GET', `/api/gpu/servers/${node.uuid}/status`, { token: user.token })
    expectAnswer(status, 200, STATUS)
    expect(status.body.data).toMatchObject({ server_id: node.uuid, gpu_usage: BEAT.gpus, running_tasks: [] })
  })

  test('an administrator may report for any, a node only for itself', async () => {
    const [mine, other] = [await makeNode(server), await makeNode(server)]
    expect((await beat(mine.node.uuid, admin.token)).status).toBe(200)
    const foreign = await beat(other.node.uuid, mine.token)
    expectFactoryError(foreign, { status: 403, code: 'ACCESS_DENIED' })
    const shown = await ask('GET', `/api/gpu/servers/${other.node.uuid}`, { token: user.token })
    expect(shown.body.data.status).toBe('offline')
  })

  const gpu = BEAT.gpus[0]!
  test.each<[string, object, string]>([
    ['more than 100 percent', { ...BEAT, cpu_usage: 100.1 }, 'cpu_usage'],
    ['less than none', { ...BEAT, memory_usage: -1 }, 'memory_usage'],
    ['no GPUs at all', { ...BEAT, gpus: undefined }, 'gpus'],
    ['GPUs that are no list', { ...BEAT, gpus: { '0': gpu } }, 'gpus'],
    ['a GPU without an id', { ...BEAT, gpus: [{ ...gpu, gpu_id: undefined }] }, 'gpus.0.gpu_id'],
    ['a GPU whose usage is a text', { ...BEAT, gpus: [{ ...gpu, usage: 'high' }] }, 'gpus.0.usage'],
    ['129 GPUs', { ...BEAT, gpus: Array(129).fill(gpu) }, 'gpus'],
  ])('%s: 422', async (_, body, field) => {
    const { node, token } = await makeNode(server)
    const answer = await beat(node.uuid, token, body)
    expectFactoryError(answer, { status: 422, code: 'VALIDATION_ERROR', fields: [field] })
  })
})

describe('changing', () => {
  test('PUT changes what it names; a taken name: 409', async () => {
    const [mine, other] = [(await create()).body.data, (await create()).body.data]
    const put = (body: object) => ask('PUT', `/api/gpu/servers/${mine.id}`, { token: admin.token, body })
    const answer = await put({ host: '10.1.1.1', max_concurrent_tasks: 8 })
    expectAnswer(answer, 200, enveloped(SERVER))
    expect(answer.body.data).toMatchObject({ name: mine.name, host: '10.1.1.1', max_concurrent_tasks: 8 })
    expectWithout(answer, 'node_token')
    expectFactoryError(await put({ name: other.name }), { status: 409, code: 'NAME_ALREADY_EXISTS' })
    expectFactoryError(await put({ name: '' }), { status: 422, code: 'VALIDATION_ERROR', fields: ['name'] })
    expectFactoryError(await put({ draining: 'yes' }), {
      status: 422,
      code: 'VALIDATION_ERROR',
      fields: ['draining'],
    })
  })

  test('a PUT of anything but a JSON object changes nothing and says so', async () => {
    const { data } = (await create()).body
    for (const [type, body] of [
      ['application/x-www-form-urlencoded', '{"name":"renamed"}'],
      ['text/plain', '{"name":"renamed"}'],
      ['application/json', 'null'],
      ['application/json', '[]'],
    ] as const) {
      const answer = await api(server, 'PUT', `/api/gpu/servers/${data.id}`, {
        token: admin.token,
        raw: body,
        headers: { 'content-type': type },
      })
      expectFactoryError(answer, { status: 422, code: 'VALIDATION_ERROR', fields: ['body'] })
    }
  })

  test('drain is shown, and PUT draining: false takes it back', async () => {
    const { node, token } = await makeNode(server)
    await beat(node.uuid, token)
    const drained = await ask('POST', `/api/gpu/servers/${node.uuid}/drain`, { token: admin.token })
    expectAnswer(drained, 200, enveloped(SERVER))
    expect(drained.body.data.status).toBe('draining')
    const path = `/api/gpu/servers/${node.uuid}`
    const back = await ask('PUT', path, { token: admin.token, body: { draining: false } })
    expect(back.body.data.status).toBe('online')
  })

  test('rotate-token: the new token is shown once and works, the old one ends at once', async () => {
    const { node, token } = await makeNode(server)
    const answer = await ask('POST', `/api/gpu/servers/${node.uuid}/rotate-token`, { token: admin.token })
    expectAnswer(answer, 200, enveloped({ ...SERVER, node_token: 'string' }))
    expect((await beat(node.uuid, token)).status).toBe(401)
    expect((await beat(node.uuid, answer.body.data.node_token)).status).toBe(200)
  })

  test('DELETE: gone from every answer, its token void, its name free again', async () => {
    const { node, token } = await makeNode(server)
    const path = `/api/gpu/servers/${node.uuid}`
    expectAnswer(await ask('DELETE', path, { token: admin.token }), 200, enveloped('object'))
    expect((await ask('GET', path, { token: admin.token })).status).toBe(404)
    expect((await ask('GET', `${path}/status`, { token: admin.token })).status).toBe(404)
    expect((await ask('DELETE', path, { token: admin.token })).status).toBe(404)
    expect((await beat(node.uuid, token)).status).toBe(401)
    expectWithout(await ask('GET', '/api/gpu/servers', { token: admin.token }), node.uuid)
    expect((await create({ name: node.name })).status).toBe(201)
  })
})
