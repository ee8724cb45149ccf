/** GPU servers: their charts, and the tasks that they run. */
import { afterAll, test } from 'bun:test'
import { nodeTopic } from '../../src/core/nodes/presence.ts'
import { makeNode, makeTask, makeUser, unique } from '../support/factories.ts'
import { startServer } from '../support/server.ts'
import { openNode } from '../support/sockets.ts'
import { steeredNode } from '../support/steered-node.ts'
import { Visitor } from './browser.ts'

const server = await startServer()
afterAll(() => server.stop())

test('charts begin with what the server has heard before, and go on with each heartbeat', async () => {
  const user = await makeUser(server)
  const { node, token } = await makeNode(server)
  const { id: nodeId, uuid: nodeUuid, name } = node
  const before = { gpuId: 0, name: 'A100', usage: 7, memoryUsed: 1, memoryTotal: 80 }
  server.ctx.bus.setState(nodeTopic(nodeUuid), {
    nodeId,
    nodeUuid,
    status: 'online',
    cpuUsage: 1,
    memoryUsage: 1,
    gpus: [before],
    runningTasks: [],
    timestamp: new Date(Date.now() - 20_000).toISOString(),
  })
  const gpus = [{ gpu_id: 0, name: 'A100', memory_total: 80 }]
  const socket = await openNode(server, token, { gpus, taskTypes: [] })
  const heard = (usage: number) => {
    const now = gpus.map((gpu) => ({ ...gpu, usage, memory_used: 2 }))
    socket.send({ type: 'heartbeat', cpu_usage: 2, memory_usage: 2, gpus: now })
  }
  heard(11)
  await using visitor = await Visitor.come(server, { user })
  const page = await visitor.open('/gpu')
  const card = page.getByRole('region', { name })
  await card.getByRole('button', { name: 'As a table: GPU 0: Usage' }).click()
  const cell = (text: string) => card.getByRole('cell', { name: text, exact: true }).first()
  await cell('7').waitFor()
  heard(23)
  await cell('23').waitFor()
  await cell('7').waitFor()
  socket.close()
})

test('an administrator sees which tasks run, also when one begins as another ends', async () => {
  const taskType = unique('type_')
  const [user, admin] = [await makeUser(server), await makeUser(server, { role: 'admin' })]
  using node = await steeredNode(server, { taskTypes: [taskType], max: 1 })
  const first = await makeTask(server, user, { taskType, title: 'The first' })
  const { send } = await node.take(first.uuid)
  const second = await makeTask(server, user, { taskType, title: 'The second' })
  await using visitor = await Visitor.come(server, { user: admin })
  const page = await visitor.open('/gpu')
  const running = page.getByRole('list', { name: 'Running tasks' })
  await running.getByRole('link', { name: 'The first' }).waitFor()
  await page.locator('.card', { hasText: 'The queue' }).getByRole('link', { name: 'The second' }).waitFor()
  send('completed', { result: {} })
  await node.take(second.uuid)
  await running.getByRole('link', { name: 'The second' }).waitFor()
  await page.getByText('No task waits.').waitFor()
  await running.getByRole('link', { name: 'The first' }).waitFor({ state: 'detached' })
})
